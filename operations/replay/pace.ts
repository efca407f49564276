import { setTimeout as sleep } from 'node:timers/promises';

/** Spreads effects over time. */
export interface Pace {
  /** Effects that may be done at once: half a second's. */
  readonly atOnce: number;
  /** Resolves when so many more may be done; at once when aborted. */
  take(effects: number, signal: AbortSignal): Promise<void>;
}

const MOST_AT_ONCE = 1_000;

/** `rate`: effects a second at most; 0 = no limit. */
export function createPace(rate: number): Pace {
  let freeAt = 0;
  return {
    atOnce: rate === 0 ? MOST_AT_ONCE : Math.max(1, Math.min(MOST_AT_ONCE, Math.floor(rate / 2))),
    take: async (effects, signal) => {
      if (rate === 0 || effects === 0) return;
      const now = performance.now();
      const wait = freeAt - now;
      freeAt = Math.max(freeAt, now) + (effects / rate) * 1_000;
      if (wait > 0) await sleep(wait, undefined, { signal }).catch(() => undefined);
    },
  };
}
