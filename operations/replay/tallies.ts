import type { Tallies } from '../../database/replays/replay-parts.ts';
import type { Planned, Sample } from '../../database/replays/replays.ts';

/** Samples kept of each class. */
const SAMPLES = 10;

export function count(tallies: Tallies, name: string, by = 1): void {
  tallies[name] = (tallies[name] ?? 0) + by;
}

/** The sums of several tallies. */
export function sumOf(all: readonly Tallies[]): Tallies {
  const sums: Tallies = {};
  for (const tallies of all) for (const [name, by] of Object.entries(tallies)) count(sums, name, by);
  return sums;
}

export function totalOf(tallies: Tallies): number {
  return Object.values(tallies).reduce((total, by) => total + by, 0);
}

/** Keeps the first samples of each class. */
export function keepSample(samples: Planned['samples'], name: string, sample: () => Sample): void {
  const kept = (samples[name] ??= []);
  if (kept.length < SAMPLES) kept.push(sample());
}
