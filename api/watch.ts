import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../platform/logger.ts';

/** One look at the database for all who wait for something of a kind. */
export interface Watch<T> {
  /** Resolves when a look finds what is waited for, or when `signal` is aborted. */
  wait(wanted: T, signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

export interface WatchOptions<T> {
  /** Looks for all of it at once; answers which was found, by position. */
  look: (wanted: readonly T[]) => Promise<readonly number[]>;
  everyMs: number;
  logger: Logger;
}

const WAIT_AFTER_FAILURE_MS = 1_000;

/** Looks again and again while anybody waits, and does nothing else. A look that fails is made again. */
export function createWatch<T>({ look, everyMs, logger }: WatchOptions<T>): Watch<T> {
  const waiting = new Map<object, { wanted: T; found: () => void }>();
  const stopping = new AbortController();
  let looking: Promise<void> | undefined;

  const round = async (): Promise<number> => {
    const all = [...waiting];
    try {
      for (const position of await look(all.map(([, { wanted }]) => wanted))) all[position]?.[1].found();
      return everyMs;
    } catch (err) {
      logger.warn({ err }, 'live events delayed');
      return WAIT_AFTER_FAILURE_MS;
    }
  };
  const loop = async (): Promise<void> => {
    while (waiting.size > 0 && !stopping.signal.aborted) {
      const pause = await round();
      await sleep(pause, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
    looking = undefined;
  };
  return {
    wait: async (wanted, signal) => {
      if (signal.aborted || stopping.signal.aborted) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const token = {};
      const found = (): void => resolve();
      waiting.set(token, { wanted, found });
      signal.addEventListener('abort', found);
      looking ??= loop();
      await promise;
      signal.removeEventListener('abort', found);
      waiting.delete(token);
    },
    stop: async () => {
      stopping.abort();
      for (const { found } of waiting.values()) found();
      await looking;
    },
  };
}

/** Does what may fail for a while, until it succeeds; null once `signal` is aborted. */
export async function patiently<T>(work: () => Promise<T>, signal: AbortSignal, logger: Logger): Promise<T | null> {
  while (!signal.aborted) {
    try {
      return await work();
    } catch (err) {
      logger.warn({ err }, 'live events delayed');
      await sleep(WAIT_AFTER_FAILURE_MS, undefined, { signal }).catch(() => undefined);
    }
  }
  return null;
}
