import { setTimeout as sleep } from 'node:timers/promises';
import { createBackoff } from './backoff.ts';
import type { Backoff } from './backoff.ts';
import type { Stack } from './stack.ts';
import type { ComponentName } from './types.ts';

const LOOK_EVERY_MS = 1_000;

export interface WatchOptions {
  stack: Stack;
  onEnded: (name: ComponentName, againInMs: number) => void;
  onFailed: (name: ComponentName, error: unknown) => void;
}

/** Starts a part of the stack again when it ends by itself, until the returned function has been called and resolves. */
export function watchStack(options: WatchOptions): () => Promise<void> {
  const stopping = new AbortController();
  const watching = watch(options, stopping.signal);
  return async () => {
    stopping.abort();
    await watching;
  };
}

async function watch(options: WatchOptions, stopping: AbortSignal): Promise<void> {
  const startedAt = new Map<ComponentName, number>();
  const backoffs = new Map<ComponentName, Backoff>();
  while (await pause(LOOK_EVERY_MS, stopping)) {
    for (const name of await options.stack.ended()) {
      const backoff = backoffs.get(name) ?? createBackoff();
      backoffs.set(name, backoff);
      const againInMs = backoff.next(performance.now() - (startedAt.get(name) ?? 0));
      options.onEnded(name, againInMs);
      if (!(await pause(againInMs, stopping))) return;
      await options.stack.revive(name).catch((error: unknown) => {
        // Called off by our own stop: nothing to tell.
        if (!stopping.aborted) options.onFailed(name, error);
      });
      startedAt.set(name, performance.now());
    }
  }
}

/** Waits; false when it is time to stop. */
const pause = (ms: number, stopping: AbortSignal): Promise<boolean> =>
  sleep(ms, true, { signal: stopping }).catch(() => false);
