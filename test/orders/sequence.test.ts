import { describe, expect, it } from '@jest/globals';
import { inSequence } from '../../orders/intake/deliver.ts';

const events = (...sequences: (number | null)[]) => sequences.map((sequence, at) => ({ sequence, at }));

describe('events of one order', () => {
  it('are applied in the producer’s count, not in the order they came', () => {
    expect(inSequence(events(3, 1, 2)).map((event) => event.sequence)).toEqual([1, 2, 3]);
  });

  it('without a sequence keep their place among those with one', () => {
    expect(inSequence(events(3, null, 2, null)).map((event) => event.at)).toEqual([2, 1, 0, 3]);
  });

  it('with the same sequence stay as they came', () => {
    expect(inSequence(events(1, 1, 1)).map((event) => event.at)).toEqual([0, 1, 2]);
  });
});
