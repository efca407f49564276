import { keyOf } from './difference.ts';
import type { AuditCode, Difference } from './difference.ts';

/** Differences kept of each code; more are counted only, so that a database of others cannot fill the memory. */
const KEPT_PER_CODE = 10_000;

/** Collects differences, each once. */
export interface Tally {
  add: (differences: readonly Difference[]) => void;
  counts: ReadonlyMap<AuditCode, number>;
  kept(): Difference[];
}

export function createTally(): Tally {
  const counts = new Map<AuditCode, number>();
  const kept = new Map<string, Difference>();
  return {
    counts,
    kept: () => [...kept.values()],
    add: (differences) => {
      for (const one of differences) {
        if (kept.has(keyOf(one))) continue;
        const count = (counts.get(one.code) ?? 0) + 1;
        counts.set(one.code, count);
        if (count <= KEPT_PER_CODE) kept.set(keyOf(one), one);
      }
    },
  };
}
