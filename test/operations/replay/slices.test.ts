import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ORDER_CLASSES } from '../../../operations/replay/classes.ts';
import type { ReplayClasses } from '../../../operations/replay/classes.ts';
import type { Classified } from '../../../operations/replay/classified.ts';
import { createPace } from '../../../operations/replay/pressure.ts';
import { slicesOf } from '../../../operations/replay/run-records.ts';

const CLASSES: ReplayClasses = ORDER_CLASSES;

function classified(is: string, i: number): Classified {
  const record = {
    ...{ topic: 't', partition: 0, offset: BigInt(i * 3), key: null, value: null },
    timestamp: 0,
    headers: {},
  };
  return { record, is, orderId: null, eventId: null, error: undefined };
}

describe('slices of a chunk', () => {
  it('hold every record once and in order, and none more effects than may be done at once', () => {
    const classes = fc.array(fc.constantFrom(...Object.keys(CLASSES)), { maxLength: 40 });
    fc.assert(
      fc.property(classes, fc.integer({ min: 1, max: 5 }), (names, most) => {
        const chunk = names.map(classified);
        const slices = slicesOf(chunk, CLASSES, most);
        expect(slices.flatMap(({ records }) => records)).toEqual(chunk);
        for (const { records } of slices) {
          expect(records.filter(({ is }) => CLASSES[is]?.isOpen).length).toBeLessThanOrEqual(most);
        }
        slices.forEach(({ records, upTo }, i) => {
          const next = slices[i + 1]?.records[0];
          expect(upTo).toBe(next && Number(next.record.offset));
          if (upTo !== undefined) expect(records.length).toBeGreaterThan(0);
        });
      }),
    );
  });
});

describe('the pace', () => {
  it('lets half a second of effects go at once, and all of them without a limit', () => {
    expect([createPace(100).atOnce, createPace(1).atOnce, createPace(0).atOnce]).toEqual([50, 1, 1_000]);
  });

  it('does not hold anybody who is told to stop', async () => {
    const pace = createPace(0.001);
    await pace.take(1, new AbortController().signal);
    await pace.take(1, AbortSignal.abort());
  });
});
