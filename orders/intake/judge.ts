import { databaseError } from '../../database/database.ts';
import type { Database } from '../../database/database.ts';
import { knownContents } from '../../database/ledger/ledger.ts';
import type { LedgerEntry, LedgerView } from '../../database/ledger/ledger.ts';
import { faultError } from '../../domain/errors.ts';
import type { OmsError } from '../../domain/errors.ts';
import { isOrderId } from '../../domain/ids.ts';
import { FINGERPRINT_VERSION } from '../../domain/order.ts';
import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';
import { completeMemory } from '../../temporal/retention.ts';
import type { Memory } from '../../temporal/retention.ts';
import { fingerprint, placedHash } from './order-event.ts';
import type { IncomingEvent, LifecycleEvent, PlacedEvent } from './order-event.ts';

/** What is to be done with an event. */
export type Verdict =
  /** Nobody has claimed the order: claim it, then start it. */
  | { outcome: 'claim'; fingerprint: Buffer }
  /** Claimed, but the start was never confirmed: start it again. */
  | { outcome: 'restart' }
  /** The order is unknown: keep the event until it comes. */
  | { outcome: 'park' }
  /** `start`: the order is claimed and may not be running yet. */
  | { outcome: 'signal'; start: boolean }
  /** Done before, or being done by an earlier record of this batch. `newId`: the same order under an id not seen yet. */
  | { outcome: 'duplicate'; newId: boolean }
  /** Ends as a dead letter. */
  | { outcome: 'conflict'; error: OmsError }
  | { outcome: 'late'; error: OmsError }
  /** The ledger does not know the order, and may have known it once: neither it nor Temporal can tell that it is new. */
  | { outcome: 'stale'; error: OmsError };

/** What is known about one order while a batch is judged. */
export interface OrderView {
  entry: LedgerEntry | undefined;
  /** Event ids that are done with, parked, or in an earlier record of the batch. */
  known: Map<string, Buffer | null>;
  /** An earlier record of the batch starts it. */
  starting: boolean;
}

/** Views of the orders of a batch, as the ledger has them. */
export function orderViews(ledger: LedgerView): (orderId: string) => OrderView {
  const views = new Map<string, OrderView>();
  const viewOf = (orderId: string): OrderView => {
    const view = views.get(orderId) ?? { entry: ledger.entries.get(orderId), known: new Map(), starting: false };
    views.set(orderId, view);
    return view;
  };
  for (const event of ledger.events) viewOf(event.orderId).known.set(event.eventId, event.contentHash);
  return viewOf;
}

/** Judges an event and notes it in the view, so that the next record of the order is judged against it. */
export function judge(event: IncomingEvent, view: OrderView, memory: Memory = completeMemory): Verdict {
  const verdict = event.kind === 'placed' ? judgePlaced(event, view, memory) : judgeLifecycle(event, view);
  const refused = verdict.outcome === 'conflict' || verdict.outcome === 'stale';
  if (!refused) view.known.set(event.eventId, event.contentHash);
  if (verdict.outcome === 'claim') view.entry = claimedEntry(event, verdict.fingerprint);
  if (verdict.outcome === 'claim' || verdict.outcome === 'restart') view.starting = true;
  return verdict;
}

function claimedEntry({ orderId, source, eventId }: IncomingEvent, print: Buffer): LedgerEntry {
  return {
    orderId,
    state: 'claimed',
    source,
    fingerprint: print,
    fingerprintVersion: FINGERPRINT_VERSION,
    placedEventId: eventId,
  };
}

const duplicate: Verdict = { outcome: 'duplicate', newId: false };

function judgePlaced(event: PlacedEvent, { entry, known, starting }: OrderView, memory: Memory): Verdict {
  const hash = known.get(event.eventId);
  if (hash?.equals(event.contentHash)) return duplicate;
  if (!entry?.fingerprint) return hash ? eventConflict(event) : judgeUnknown(event, memory);
  if (entry.source !== event.source) return sourceConflict(event, entry);
  if (!sameOrder(event, entry)) {
    const sameEvent = known.has(event.eventId) || entry.placedEventId === event.eventId;
    return sameEvent ? eventConflict(event) : orderConflict(event, entry);
  }
  if (known.has(event.eventId)) return duplicate;
  return entry.state === 'claimed' && !starting ? { outcome: 'restart' } : { outcome: 'duplicate', newId: true };
}

function judgeUnknown(event: PlacedEvent, memory: Memory): Verdict {
  const error = memory.staleness(event);
  return error ? { outcome: 'stale', error } : { outcome: 'claim', fingerprint: fingerprint(event.order) };
}

/** Compared with the function the row was written with, however old that is. */
function sameOrder(event: PlacedEvent, entry: LedgerEntry): boolean {
  return fingerprint(event.order, entry.fingerprintVersion ?? FINGERPRINT_VERSION).equals(
    entry.fingerprint ?? Buffer.alloc(0),
  );
}

function judgeLifecycle(event: LifecycleEvent, { entry, known }: OrderView): Verdict {
  const hash = known.get(event.eventId);
  // A workflow that closes writes down the ids it handled, without their content: the id alone must do then.
  if (hash !== undefined) return !hash || hash.equals(event.contentHash) ? duplicate : eventConflict(event);
  switch (entry?.state) {
    case undefined:
    case 'awaited':
      return { outcome: 'park' };
    case 'claimed':
      return { outcome: 'signal', start: true };
    case 'started':
      return { outcome: 'signal', start: false };
    case 'closed':
      return { outcome: 'late', error: lateError(event) };
  }
}

export function lateError({ orderId, eventId }: { orderId: string; eventId: string }): OmsError {
  const rule = `must come before order ${orderId} is closed`;
  return faultError('OMS_INGEST_LATE', { field: 'eventId', value: eventId, rule });
}

function eventConflict({ orderId, eventId }: IncomingEvent): Verdict {
  const rule = `must be new: order ${orderId} has an event with this id and other content`;
  return {
    outcome: 'conflict',
    error: faultError('OMS_INGEST_EVENT_CONFLICT', { field: 'eventId', value: eventId, rule }),
  };
}

function sourceConflict({ orderId, source }: IncomingEvent, entry: LedgerEntry): Verdict {
  const rule = `must be ${entry.source}, which placed order ${orderId}; order ids are global`;
  return {
    outcome: 'conflict',
    error: faultError('OMS_INGEST_ORDER_CONFLICT', { field: 'source', value: source, rule }),
  };
}

function orderConflict({ orderId }: IncomingEvent, entry: LedgerEntry): Verdict {
  const rule = `must be new: event ${entry.placedEventId} placed an order with this id and other content`;
  return {
    outcome: 'conflict',
    error: faultError('OMS_INGEST_ORDER_CONFLICT', { field: 'orderId', value: orderId, rule }),
  };
}

/**
 * Which records say, byte for byte, what an event that is done with said. The key stands for the order id: they were
 * equal when the event was taken, and it is part of the bytes.
 * @throws OmsError OMS_DATABASE_UNAVAILABLE (retryable)
 */
export async function findKnown(
  db: Database,
  records: readonly ConsumedRecord[],
): Promise<(record: ConsumedRecord) => boolean> {
  const candidates = records.flatMap((record) => candidateOf(record) ?? []);
  try {
    const positions = await knownContents(db, candidates);
    const known = new Set(candidates.filter((_, i) => positions.has(i)).map(({ offset }) => offset));
    return ({ offset }) => known.has(offset);
  } catch (error) {
    throw databaseError(error);
  }
}

function candidateOf({ key, value, offset }: ConsumedRecord) {
  const orderId = key?.toString('latin1');
  return value && isOrderId(orderId) ? { orderId, offset, contentHash: placedHash(value) } : undefined;
}
