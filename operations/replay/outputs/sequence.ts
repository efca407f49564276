/** What was seen of the numbers that an order's events have on a topic. */
export interface SeenNumbers {
  first: number;
  last: number;
  /** Between the two, and not seen. */
  missing: number[];
}

export type Place = 'told' | 'repeat' | 'gap' | 'disordered';

/**
 * Where a number stands among those seen before it. The first that is seen may be any: a range need not begin with an
 * order's first event. `before`: the number that should have been seen before it; null where gaps are as they should be.
 */
export function placeOf(
  seen: SeenNumbers | undefined,
  number: number,
  before: number | null,
): { is: Place; seen: SeenNumbers } {
  if (!seen) return { is: 'told', seen: { first: number, last: number, missing: [] } };
  const { first, last, missing } = seen;
  if (number > last) {
    const is = before !== null && before > last ? 'gap' : 'told';
    return { is, seen: { first, last: number, missing: [...missing, ...between(last, number)] } };
  }
  if (number < first)
    return { is: 'disordered', seen: { first: number, last, missing: [...between(number, first), ...missing] } };
  if (!missing.includes(number)) return { is: 'repeat', seen };
  return { is: 'disordered', seen: { first, last, missing: missing.filter((one) => one !== number) } };
}

function between(low: number, high: number): number[] {
  return Array.from({ length: high - low - 1 }, (_, i) => low + 1 + i);
}
