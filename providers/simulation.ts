import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { OmsError, isOmsError } from '../domain/errors.ts';
import type { ErrorCode } from '../domain/errors.ts';
import type { FaultRule } from '../platform/config/fault-rules.ts';

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

/** What a call over a network may come to, beside its answer. `lost` and `malformed` strike after the effect. */
export type CallFault = 'timeout' | 'error' | 'lost' | 'malformed';
const CALL_FAULTS: readonly string[] = ['timeout', 'error', 'lost', 'malformed'] satisfies CallFault[];

/** Decides by hash, so that a run can be repeated: the same key and attempt always meet the same fault. */
export interface Faults<K extends string> {
  /** Whether `kind` strikes this key, in every call about it. */
  strikes(kind: K, key: string): boolean;
  /** What strikes this attempt (1, 2, …) of an operation, null if nothing does. */
  ofCall(operation: string, key: string, attempt: number): CallFault | null;
}

export function createFaults<K extends string>(rules: readonly FaultRule<K>[]): Faults<K> {
  const callRules = rules.filter((rule): rule is FaultRule<K & CallFault> => CALL_FAULTS.includes(rule.kind));
  return {
    strikes: (kind, key) =>
      rules.some((rule) => rule.kind === kind && concerns(rule, key) && chance(kind, key) < rule.share),
    ofCall: (operation, key, attempt) =>
      callRules.length === 0 ? null : pick(callRules, key, chance(operation, key, String(attempt))),
  };
}

function concerns(rule: FaultRule, key: string): boolean {
  return rule.prefix === null || key.startsWith(rule.prefix);
}

/** Lays the shares end to end on 0..1 and takes the one the number falls in: a call meets one fault at most. */
function pick(rules: readonly FaultRule<CallFault>[], key: string, at: number): CallFault | null {
  let end = 0;
  for (const rule of rules) {
    if (!concerns(rule, key)) continue;
    end += rule.share;
    if (at < end) return rule.kind;
  }
  return null;
}

/** A number from 0 to just below 1 that depends on the parts alone. */
function chance(...parts: string[]): number {
  return createHash('sha256').update(parts.join('\n')).digest().readUIntBE(0, 6) / 2 ** 48;
}
