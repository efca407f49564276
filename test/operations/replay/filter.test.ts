import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createFilter } from '../../../operations/replay/classified.ts';

const NONE = { fromTime: null, toTime: null, orderIds: null, types: null };
const placed = (orderId: string) => ({ kind: 'placed' as const, type: 'OrderPlaced' as const, orderId });
const cancelled = (orderId: string) => ({ kind: 'lifecycle' as const, type: 'OrderCancelled' as const, orderId });
const poison = (orderId: string | null) => ({ kind: 'poison' as const, orderId });

describe('which records of a range are meant', () => {
  it('is all of them where nothing is asked for', () => {
    const filter = createFilter(NONE);
    expect(filter.takesRecord({ timestamp: -1 })).toBe(true);
    expect([placed('a'), cancelled('b'), poison(null)].map((one) => filter.takesEvent(one))).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('goes by the time of each record: from included, to excluded', () => {
    const time = fc.integer({ min: 0, max: 50 });
    fc.assert(
      fc.property(fc.option(time), fc.option(time), time, (fromTime, toTime, timestamp) => {
        const filter = createFilter({ ...NONE, fromTime, toTime });
        const meant = timestamp >= (fromTime ?? -Infinity) && timestamp < (toTime ?? Infinity);
        expect(filter.takesRecord({ timestamp })).toBe(meant);
      }),
    );
  });

  it('goes by order, also of poison that has the key of one', () => {
    const filter = createFilter({ ...NONE, orderIds: ['a', 'b'] });
    const events = [placed('a'), cancelled('b'), placed('c'), poison('a'), poison('c'), poison(null)];
    expect(events.map((one) => filter.takesEvent(one))).toEqual([true, true, false, true, false, false]);
  });

  it('goes by key where records have one, and by none where none is asked for', () => {
    const filter = createFilter({ ...NONE, keys: ['a:1'] });
    const about = (key: string | null) => ({ orderId: 'a', key, type: null });
    expect(['a:1', 'a:2', null].map((key) => filter.takes(about(key)))).toEqual([true, false, false]);
    expect(createFilter(NONE).takes(about(null))).toBe(true);
  });

  it('goes by type, which poison has none of', () => {
    const filter = createFilter({ ...NONE, types: ['OrderCancelled'] });
    expect([placed('a'), cancelled('a'), poison('a')].map((one) => filter.takesEvent(one))).toEqual([
      false,
      true,
      false,
    ]);
  });
});
