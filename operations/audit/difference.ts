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
