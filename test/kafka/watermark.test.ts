import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createWatermark } from '../../kafka/consumer/chunk-runner.ts';

describe('watermark', () => {
  it('says nothing may be committed while the first record is open', () => {
    const mark = createWatermark([5n, 6n, 7n]);
    mark.finish(6n);
    mark.finish(7n);
    expect(mark.next()).toBeUndefined();
  });

  it('jumps over what was finished before when the gap closes', () => {
    const mark = createWatermark([5n, 6n, 8n]);
    mark.finish(8n);
    mark.finish(5n);
    expect(mark.next()).toBe(6n);
    mark.finish(6n);
    expect(mark.next()).toBe(9n);
  });

  it('ignores offsets it does not know and those it has seen', () => {
    const mark = createWatermark([1n, 2n]);
    mark.finish(1n);
    mark.finish(1n);
    mark.finish(99n);
    expect([mark.open(), mark.next()]).toEqual([1, 2n]);
  });

  it('never passes an open record, whatever the order', () => {
    const offsets = fc.uniqueArray(fc.bigInt(0n, 500n), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(offsets, fc.integer({ min: 0, max: 60 }), (unordered, count) => {
        const sorted = [...unordered].sort((a, b) => (a < b ? -1 : 1));
        const mark = createWatermark(sorted);
        const finished = new Set(unordered.slice(0, count));
        for (const offset of finished) mark.finish(offset);
        const firstOpen = sorted.find((offset) => !finished.has(offset));
        const done = firstOpen === undefined ? sorted : sorted.slice(0, sorted.indexOf(firstOpen));
        const last = done.at(-1);
        expect(mark.next()).toBe(last === undefined ? undefined : last + 1n);
        expect(mark.open()).toBe(sorted.length - finished.size);
      }),
    );
  });
});
