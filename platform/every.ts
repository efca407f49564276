import { setTimeout as delay } from 'node:timers/promises';

/**
 * Does `work` again and again, `ms` after it last ended, until stopped. `stop` aborts the signal given to `work` and
 * resolves when the last round has ended; `work` handles its own faults.
 */
export function every(ms: number, work: (signal: AbortSignal) => Promise<void>): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const { signal } = stopping;
  const rounds = async (): Promise<void> => {
    while (!signal.aborted) {
      await work(signal);
      await delay(ms, undefined, { signal }).catch(() => undefined);
    }
  };
  const ended = rounds();
  return {
    stop: async () => {
      stopping.abort(new Error('stopping'));
      await ended;
    },
  };
}
