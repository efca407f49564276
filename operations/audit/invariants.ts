import type { AuditCode, AuditPart } from './difference.ts';

/** A sentence that must hold, and the differences that break it. */
interface Invariant {
  states: string;
  parts: readonly AuditPart[];
  brokenBy: readonly AuditCode[];
}

const INVARIANTS: readonly Invariant[] = [
  {
    states: 'workflows per order = 1',
    parts: ['ledger', 'temporal'],
    brokenBy: [
      'OMS_AUDIT_LEDGER_MISSING',
      'OMS_AUDIT_WORKFLOW_MISSING',
      'OMS_AUDIT_WORKFLOW_UNKNOWN',
      'OMS_AUDIT_WORKFLOW_REPEATED',
    ],
  },
  {
    states: 'charges per fulfillment ≤ 1',
    parts: ['providers'],
    brokenBy: ['OMS_AUDIT_CHARGE_REPEATED', 'OMS_AUDIT_CHARGE_UNKNOWN'],
  },
  {
    states: 'captured = invoiced − credited',
    parts: ['money', 'providers'],
    brokenBy: [
      'OMS_AUDIT_MONEY_DIFFERS',
      'OMS_AUDIT_CREDIT_OPEN',
      'OMS_AUDIT_INVOICE_MISSING',
      'OMS_AUDIT_CHARGE_MISSING',
      'OMS_AUDIT_CHARGE_DIFFERS',
    ],
  },
  {
    states: 'reserved = sum of open fulfillments',
    parts: ['stock'],
    brokenBy: ['OMS_AUDIT_STOCK_RESERVED'],
  },
  {
    states: 'sequences are gap-free',
    parts: ['outbox', 'topics', 'money'],
    brokenBy: [
      'OMS_AUDIT_SEQUENCE_GAP',
      'OMS_AUDIT_RECORD_MISSING',
      'OMS_AUDIT_RECORD_DISORDERED',
      'OMS_AUDIT_NUMBER_GAP',
    ],
  },
];

export interface InvariantResult {
  states: string;
  /** Null when not all of it was audited, and what was is in order. */
  holds: boolean | null;
  /** Differences that break it. */
  broken: number;
}

/** What the audit's counts say of the invariants. */
export function invariantsOf(
  counts: ReadonlyMap<AuditCode, number>,
  audited: ReadonlySet<AuditPart>,
): InvariantResult[] {
  return INVARIANTS.map(({ states, parts, brokenBy }) => {
    const broken = brokenBy.reduce((sum, code) => sum + (counts.get(code) ?? 0), 0);
    const isWhole = parts.every((part) => audited.has(part));
    return { states, holds: broken > 0 ? false : isWhole ? true : null, broken };
  });
}
