import { createHash } from 'node:crypto';
import type { FaultRule } from '../platform/config/fault-rules.ts';

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
