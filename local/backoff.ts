const FIRST_MS = 500;
const LONGEST_MS = 30_000;
/** What ran this long was well: its next failure counts as the first. */
const WELL_AFTER_MS = 60_000;

/** How long to wait before something that ended is started again: 0.5 s, doubling up to 30 s. */
export interface Backoff {
  next(ranMs: number): number;
}

export function createBackoff(): Backoff {
  let failures = 0;
  return {
    next: (ranMs) => {
      if (ranMs >= WELL_AFTER_MS) failures = 0;
      failures += 1;
      return Math.min(FIRST_MS * 2 ** (failures - 1), LONGEST_MS);
    },
  };
}
