/**
 * The order in which events of one order are applied: as they stood on the topic, except that those with a sequence
 * are put in ascending order among the places such events take. So a producer that counts gets its own order for what
 * arrives together (in one batch, or parked until the order came), and an event without a sequence keeps its place.
 * An event is not held back for a lower number that may never come.
 */
export function inSequence<T extends { sequence: number | null }>(events: readonly T[]): T[] {
  const counted = events
    .filter((event) => event.sequence !== null)
    .sort((a, b) => Number(a.sequence) - Number(b.sequence));
  let next = 0;
  return events.map((event) => (event.sequence === null ? event : (counted[next++] ?? event)));
}
