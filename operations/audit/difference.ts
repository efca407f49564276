import type { ErrorCode } from '../../domain/errors.ts';
import type { TopicKind } from '../../kafka/topics.ts';

/** What the audit compares; each part can be audited by itself. */
export const AUDIT_PARTS = [
  ...(['ledger', 'temporal', 'outbox', 'topics', 'input', 'news', 'letters', 'stock', 'money', 'providers'] as const),
];
export type AuditPart = (typeof AUDIT_PARTS)[number];

export type AuditCode = Extract<ErrorCode, `OMS_AUDIT_${string}`>;

/** How a difference is mended without harm, whatever happens meanwhile. */
export type Remedy = 'startAgain' | 'sendAgain' | 'sendLetterAgain';

/** Two places that say different things. */
export interface Difference {
  part: AuditPart;
  code: AuditCode;
  /** Null for what belongs to no order. */
  orderId: string | null;
  /** What it is about: an order, an event, a fulfillment, a record, a SKU. */
  subject: string;
  /** Both sides, in words. */
  detail: string;
  /** Null where only a person can tell what is right. */
  remedy: Remedy | null;
  /** What came of mending it; absent while it was not tried. */
  repaired?: string;
}

/** Finds differences of a page of orders. Whatever it reads of the database it reads in one statement a comparison. */
export type OrderCheck = (orderIds: readonly string[]) => Promise<Difference[]>;

/** Finds differences that belong to no order, or cannot be found order by order. */
export type WholeCheck = () => Promise<Difference[]>;

/** The same difference found again has the same key. */
export const keyOf = ({ code, subject }: Difference): string => `${code}\n${subject}`;

/** From which time on each topic still holds all that was sent to it; undefined = from the first record. */
export type KeptSince = Readonly<Partial<Record<TopicKind, Date>>>;

/** What reading the topics once told. */
export interface TopicReading {
  /** Database time before their ends were asked for: what was sent earlier must have been seen. */
  readAt: Date;
  keptSince: KeptSince;
}

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
