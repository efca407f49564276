import { OmsError, isOmsError } from '../../domain/errors.ts';
import type { ErrorCode } from '../../domain/errors.ts';

/** A provider that did not answer is not asked quickly again for this long. */
const REST_MS = 5_000;
/** Longer than this is slow; below the time limit of the local activity. */
const SLOW_MS = 1_000;

/** Runs a call to a provider as one quick attempt. */
export type QuickAttempt = <T>(call: () => Promise<T>) => Promise<T>;

/**
 * Attempts for a local activity: refused at once while the provider has just failed or been slow, so that an outage
 * costs each order no time here and the slots stay free for others.
 */
export function createQuickAttempt(away: ErrorCode, now: () => number = () => performance.now()): QuickAttempt {
  let restsUntil = -Infinity;
  const rest = (): void => void (restsUntil = now() + REST_MS);
  return async (call) => {
    if (now() < restsUntil) throw new OmsError(away, 'the provider failed a moment ago');
    const slow = setTimeout(rest, SLOW_MS);
    try {
      return await call();
    } catch (error) {
      if (isOmsError(error) && error.code === away) rest();
      throw error;
    } finally {
      clearTimeout(slow);
    }
  };
}
