import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseSpans, rangesOf } from '../../../operations/replay/ranges.ts';

const log = (partition: number, low: number, high: number, since?: number) => ({
  ...{ partition, low, high },
  ...(since === undefined ? {} : { since }),
});

describe('offsets on the command line', () => {
  it('are a partition, or a partition with its first and last offset', () => {
    expect(parseSpans('3:100-199, 0:5-,1:-7,2')).toEqual([
      { partition: 3, from: 100, to: 199 },
      { partition: 0, from: 5, to: undefined },
      { partition: 1, from: undefined, to: 7 },
      { partition: 2, from: undefined, to: undefined },
    ]);
  });

  it.each([
    ['x', 'must be a partition'],
    ['1:5', 'must be a partition'],
    ['1:9-5', 'must not end before it begins'],
    ['1:0-5,1:7-9', 'must name each partition once'],
    ['', 'must be a partition'],
  ])('%p are refused: %s', (text, rule) => {
    expect(() => parseSpans(text)).toThrow(
      expect.objectContaining({ code: 'OMS_REPLAY_INVALID', message: expect.stringContaining(rule) }),
    );
  });
});

describe('frozen ranges', () => {
  it('hold all that the topic holds where nothing is asked for', () => {
    expect(rangesOf([log(1, 5, 9), log(0, 0, 3)], null)).toEqual([
      { partition: 0, from: 0, end: 3 },
      { partition: 1, from: 5, end: 9 },
    ]);
  });

  it('begin where the time asked for does', () => {
    expect(rangesOf([log(0, 0, 9, 4), log(1, 0, 9, 9)], null)).toEqual([
      { partition: 0, from: 4, end: 9 },
      { partition: 1, from: 9, end: 9 },
    ]);
  });

  it('are refused for a partition the topic does not have', () => {
    expect(() => rangesOf([log(0, 0, 3)], parseSpans('1'))).toThrow(
      expect.objectContaining({ code: 'OMS_REPLAY_INVALID', message: expect.stringContaining('0 to 0') }),
    );
  });

  it('hold an offset if and only if it is there, was asked for and is not before the time', () => {
    const offset = fc.integer({ min: 0, max: 30 });
    const asked = fc.record({ from: fc.option(offset), to: fc.option(offset) });
    const held = fc.record({ low: offset, size: fc.integer({ min: 0, max: 20 }), since: fc.option(offset) });
    fc.assert(
      fc.property(held, asked, offset, ({ low, size, since }, { from, to }, at) => {
        const span = { partition: 0, from: from ?? undefined, to: to ?? undefined };
        const extent = log(0, low, low + size, since ?? undefined);
        const [range] = rangesOf([extent], [span]);
        const isHeld = at >= low && at < low + size;
        const isAsked = at >= (from ?? 0) && at <= (to ?? Infinity) && at >= (since ?? 0);
        expect(range && at >= range.from && at < range.end).toBe(isHeld && isAsked);
        expect(range && range.from <= range.end).toBe(true);
      }),
    );
  });
});
