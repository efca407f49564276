import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { placeOf } from '../../../operations/replay/outputs/events.ts';
import type { Place, SeenNumbers } from '../../../operations/replay/outputs/events.ts';

/** Where each number stands; before each should stand the one below it. */
function placesOf(numbers: readonly number[], gapless = true): Place[] {
  let seen: SeenNumbers | undefined;
  return numbers.map((number) => {
    const place = placeOf(seen, number, gapless ? number - 1 : null);
    seen = place.seen;
    return place.is;
  });
}

describe("an order's numbers on a topic", () => {
  it('are told once and in order, from any one on', () => {
    expect(placesOf([3, 4, 4, 5, 3])).toEqual(['told', 'told', 'repeat', 'told', 'repeat']);
  });

  it('show what is missing, and what comes behind a later one', () => {
    expect(placesOf([2, 5, 3, 3, 6, 1, 4])).toEqual([
      ...(['told', 'gap', 'disordered', 'repeat', 'told', 'disordered', 'disordered'] as const),
    ]);
    expect(placesOf([2, 5, 3], false)).toEqual(['told', 'told', 'disordered']);
  });

  it('are a repeat exactly when they were seen before', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 40 }), (numbers) => {
        const repeats = placesOf(numbers).map((is) => is === 'repeat');
        expect(repeats).toEqual(numbers.map((number, i) => numbers.indexOf(number) < i));
      }),
    );
  });
});
