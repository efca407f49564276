import type { OrderProgress } from '../../domain/progress.ts';
import { OmsError } from '../../domain/errors.ts';
import type { ErrorCode } from '../../domain/errors.ts';

/** A provider that did not answer is not asked quickly again for this long. */
const REST_MS = 5_000;
/** Longer than this is slow; below the time limit of the local activity. */
const SLOW_MS = 1_500;

type ProviderCall = (orderId: string, ids: string[]) => Promise<OrderProgress>;

/**
 * The same call as a quick attempt, for a local activity: refused at once while the provider has just failed or been
 * slow, so that an outage costs each order no time here and the slots stay free for others.
 */
export function quickAttempt(call: ProviderCall, away: ErrorCode, now: () => number = () => performance.now()) {
  let restsUntil = -Infinity;
  return async (orderId: string, ids: string[]): Promise<OrderProgress> => {
    if (now() < restsUntil) throw new OmsError(away, 'the provider failed a moment ago');
    const slow = setTimeout(() => void (restsUntil = now() + REST_MS), SLOW_MS);
    try {
      return await call(orderId, ids);
    } catch (error) {
      restsUntil = now() + REST_MS;
      throw error;
    } finally {
      clearTimeout(slow);
    }
  };
}
