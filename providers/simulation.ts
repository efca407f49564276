import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { OmsError, isOmsError } from '../domain/errors.ts';
import type { ErrorCode } from '../domain/errors.ts';
import type { CallFault, Faults } from './faults.ts';

const SYMPTOMS: Record<CallFault, string> = {
  timeout: 'no answer',
  lost: 'no answer',
  error: 'answered 503',
  malformed: 'the answer cannot be read',
};
const AFTER_EFFECT: readonly CallFault[] = ['lost', 'malformed'];

/** One call to a simulated provider; `effect` is what the provider does, in a transaction of its own. */
export type SimulatedCall = <T>(operation: string, key: string, effect: () => Promise<T>) => Promise<T>;

/**
 * The wire to a simulated provider: latency and faults. A fault before the effect leaves no trace at the provider,
 * one after it leaves the effect and hides the answer; the caller can't tell one from the other.
 */
export function createSimulatedCall(options: {
  provider: string;
  unavailable: ErrorCode;
  latencyMs: number;
  faults: Faults<never>;
}): SimulatedCall {
  const { provider, unavailable, latencyMs, faults } = options;
  // Keys that failed so far: forgotten at the first success, so it holds only what is being retried.
  const failures = new Map<string, number>();

  return async (operation, key, effect) => {
    const call = `${operation} ${key}`;
    const attempt = (failures.get(call) ?? 0) + 1;
    const fault = faults.ofCall(operation, key, attempt);
    await sleep(latencyMs);
    if (fault !== null) failures.set(call, attempt);
    if (fault !== null && !AFTER_EFFECT.includes(fault)) throw failed(fault);
    const answer = await effect().catch((error: unknown) => {
      if (isOmsError(error) && !error.retryable) throw error;
      throw new OmsError(unavailable, `simulated ${provider}: out of order`, { cause: error });
    });
    if (fault !== null) throw failed(fault);
    failures.delete(call);
    return answer;

    function failed(what: CallFault): OmsError {
      return new OmsError(
        unavailable,
        `simulated ${provider}: ${SYMPTOMS[what]} (${operation} ${key}, attempt ${attempt})`,
      );
    }
  };
}

/** Letters that look like a provider's own reference; always the same for the same seed. */
export function mark(seed: string, length: number): string {
  return createHash('sha256').update(seed).digest('hex').slice(0, length).toUpperCase();
}
