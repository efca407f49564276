import { setTimeout as sleep } from 'node:timers/promises';
import { isOmsError } from '../../domain/errors.ts';

const FIRST_WAIT_MS = 200;
const MAX_WAIT_MS = 10_000;

/** Told why work waits; undefined when it goes on. */
export type OnWait = (reason: string | undefined) => void;

/**
 * Does the work again for as long as the environment is at fault, until `signal` is aborted.
 * @throws what the work throws that is not retryable, or its last fault when aborted
 */
export async function patiently<T>(work: () => Promise<T>, signal: AbortSignal, onWait: OnWait): Promise<T> {
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, MAX_WAIT_MS)) {
    try {
      const result = await work();
      if (wait > FIRST_WAIT_MS) onWait(undefined);
      return result;
    } catch (error) {
      if (signal.aborted || !isOmsError(error) || !error.retryable) throw error;
      onWait(`${error.code}: ${error.message}`);
      await sleep(wait, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) throw error;
    }
  }
}
