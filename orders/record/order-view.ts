import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import type { LedgerEventsTable, LedgerState } from '../../database/tables/ledger.ts';
import type { Overdue } from '../../domain/order-messages.ts';
import type { Address, OrderItem } from '../../domain/order.ts';
import type { OrderStatus } from '../../domain/status.ts';
import { readOrder } from './load.ts';
import type { FulfillmentRecord } from './record.ts';

/** An event of an order, told or about to be told. */
export interface TimelineEntry {
  version: number;
  eventId: string;
  topic: string;
  type: string;
  cause: string;
  at: Date;
  /** Null while the publisher has not sent it. */
  sentAt: Date | null;
  /** Why the publisher holds it back. */
  heldReason: string | null;
}

/** An incoming event about an order, and what became of it. */
export interface IncomingEvent {
  eventId: string;
  type: string;
  outcome: LedgerEventsTable['outcome'];
  /** Why it was refused. */
  reason: string | null;
  at: Date;
}

/** News from a carrier, and whether anything came of it. */
export interface CarrierNewsEntry {
  updateId: string;
  shipmentId: string;
  status: string;
  applied: boolean;
  detail: string | null;
  at: Date;
}

/** What the ledger says of an order id; all there is of an order that was not taken yet. */
export interface LedgerRow {
  state: LedgerState;
  source: string | null;
  placedEventId: string | null;
  runId: string | null;
  recordTopic: string | null;
  recordPartition: number | null;
  recordOffset: number | null;
  awaitedAt: Date | null;
  claimedAt: Date | null;
  startedAt: Date | null;
  closedAt: Date | null;
}

/** An order as it stands, for people: everything the database has of it. */
export interface OrderView {
  orderId: string;
  ledger: LedgerRow | null;
  /** Null until a worker has taken the order. */
  order: OrderSummary | null;
  items: OrderItem[];
  fulfillments: FulfillmentRecord[];
  /** In version order. */
  timeline: TimelineEntry[];
  incoming: IncomingEvent[];
  /** What carriers have said of its shipments, in the order it came. */
  news: CarrierNewsEntry[];
}

export interface OrderSummary {
  status: OrderStatus;
  reason: string | null;
  source: string;
  customerId: string;
  currency: string;
  shipTo: Address | null;
  /** ms since the epoch, as the three below. */
  placedAt: number;
  receivedAt: number;
  closedAt: number | null;
  /** The promise that was not kept, the later one of two. */
  overdue: Overdue | null;
  version: number;
}

/** An order as it stands, without what led to it. */
export type OrderHead = Omit<OrderView, 'timeline' | 'incoming' | 'news'>;

/** The order alone: a few round trips less than everything about it. Null when neither ledger nor orders know the id. */
export async function readOrderHead(db: Database, orderId: string): Promise<OrderHead | null> {
  const [ledger, order] = await Promise.all([readLedger(db, orderId), readOrder(db, orderId)]);
  if (!order) return ledger && { orderId, ledger, order: null, items: [], fulfillments: [] };
  const { fulfillments, sequences: _sequences, now: _now, askedAt: _askedAt, orderId: _id, ...summary } = order;
  return { orderId, ledger, order: summary, items: await readItems(db, orderId), fulfillments };
}

/** Everything about an order; null when neither ledger nor orders know the id. */
export async function readOrderView(db: Database, orderId: string): Promise<OrderView | null> {
  const head = await readOrderHead(db, orderId);
  if (!head) return null;
  const [timeline, incoming, news] = await Promise.all([
    readTimeline(db, orderId),
    readIncoming(db, orderId),
    readNews(db, orderId),
  ]);
  return { ...head, timeline, incoming, news };
}

async function readLedger(db: Database, orderId: string): Promise<LedgerRow | null> {
  const { rows } = await sql<LedgerRow>`
    select state, source, placed_event_id as "placedEventId", run_id as "runId", record_topic as "recordTopic",
      record_partition as "recordPartition", record_offset as "recordOffset", awaited_at as "awaitedAt",
      claimed_at as "claimedAt", started_at as "startedAt", closed_at as "closedAt"
    from ledger where order_id = ${orderId}
  `.execute(db);
  return rows[0] ?? null;
}

async function readItems(db: Database, orderId: string): Promise<OrderItem[]> {
  const { rows } = await sql<OrderItem>`
    select sku, quantity, unit_price as "unitPrice", description from order_items where order_id = ${orderId}
    order by line
  `.execute(db);
  return rows;
}

async function readTimeline(db: Database, orderId: string): Promise<TimelineEntry[]> {
  const { rows } = await sql<TimelineEntry>`
    select version, event_id as "eventId", topic, type, cause, created_at as at, sent_at as "sentAt",
      held_reason as "heldReason"
    from outbox where order_id = ${orderId} and version is not null order by version
  `.execute(db);
  return rows;
}

async function readIncoming(db: Database, orderId: string): Promise<IncomingEvent[]> {
  const { rows } = await sql<IncomingEvent>`
    select event_id as "eventId", type, outcome, reason, at from ledger_events where order_id = ${orderId} order by at, event_id
  `.execute(db);
  return rows;
}

async function readNews(db: Database, orderId: string): Promise<CarrierNewsEntry[]> {
  const { rows } = await sql<CarrierNewsEntry>`
    select n.update_id as "updateId", n.shipment_id as "shipmentId", n.status, n.applied, n.detail, n.received_at as at
    from fulfillments f join carrier_updates n on n.shipment_id = f.fulfillment_id
    where f.order_id = ${orderId} order by n.received_at, n.update_id
  `.execute(db);
  return rows;
}
