import { sql } from 'kysely';
import type { LifecycleMessage } from '../../domain/order-messages.ts';
import { ledgerState } from '../database.ts';
import type { Database } from '../database.ts';
import { recordColumns, recordFrom } from './records.ts';
import type { RecordRow, StoredRecord } from './records.ts';

/** A lifecycle event together with the record it came in. */
export interface LifecycleRecord {
  orderId: string;
  eventId: string;
  message: LifecycleMessage;
  contentHash: Buffer | null;
  source: string | null;
  /** The producer's count of this order's events; null = topic order is the order. */
  sequence: number | null;
  record: StoredRecord;
}

interface ParkedRow extends RecordRow {
  order_id: string;
  event_id: string;
  message: LifecycleMessage;
  payload_hash: Buffer | null;
  source: string | null;
  sequence: number | null;
}

/**
 * Parks events of orders that have not come. The order's row is made (`awaited`) and locked first, so that claiming it
 * either sees the parked event or is seen here. Returns the orders that are awaited; events of the others are not parked.
 */
export async function parkEvents(
  tx: Database,
  events: readonly LifecycleRecord[],
  deadlineMs: number,
): Promise<Set<string>> {
  const orderIds = [...new Set(events.map((event) => event.orderId))].sort();
  await sql`
    insert into ledger (order_id, state, awaited_at)
    select o.order_id, ${ledgerState('awaited')}, clock_timestamp() from unnest(${orderIds}::text[]) as o(order_id)
    order by o.order_id collate "C" on conflict (order_id) do nothing
  `.execute(tx);
  const awaited = await lockAwaited(tx, orderIds);
  await keepParked(
    tx,
    events.filter((event) => awaited.has(event.orderId)),
    deadlineMs,
  );
  return awaited;
}

/** Parks events of orders whatever state they are in; for a caller that hands them over itself. */
export async function keepParked(tx: Database, events: readonly LifecycleRecord[], deadlineMs: number): Promise<void> {
  if (events.length === 0) return;
  await tx
    .insertInto('parked_events')
    .values(events.map((event) => parkedRow(event, deadlineMs)))
    .onConflict((conflict) => conflict.columns(['order_id', 'event_id']).doNothing())
    .execute();
}

async function lockAwaited(tx: Database, orderIds: readonly string[]): Promise<Set<string>> {
  const { rows } = await sql<{ order_id: string; state: string }>`
    select order_id, state from ledger where order_id = any(${[...orderIds]}::text[]) order by order_id for update
  `.execute(tx);
  return new Set(rows.filter((row) => row.state === 'awaited').map((row) => row.order_id));
}

function parkedRow(event: LifecycleRecord, deadlineMs: number) {
  return {
    order_id: event.orderId,
    event_id: event.eventId,
    message: JSON.stringify(event.message),
    payload_hash: event.contentHash,
    source: event.source,
    sequence: event.sequence,
    deadline: sql<Date>`clock_timestamp() + make_interval(secs => ${deadlineMs / 1_000})`,
    ...recordColumns(event.record),
  };
}

/** What is parked for these orders, each order's events in the order they are to be applied. */
export async function parkedFor(db: Database, orderIds: readonly string[]): Promise<LifecycleRecord[]> {
  if (orderIds.length === 0) return [];
  const { rows } = await sql<ParkedRow>`
    select * from parked_events where order_id = any(${[...orderIds]}::text[])
    order by order_id, record_topic, record_partition, record_offset
  `.execute(db);
  return rows.map(parkedFrom);
}

function parkedFrom(row: ParkedRow): LifecycleRecord {
  return {
    orderId: row.order_id,
    eventId: row.event_id,
    message: row.message,
    contentHash: row.payload_hash,
    source: row.source,
    sequence: row.sequence,
    record: recordFrom(row),
  };
}

/** Takes parked events away: they were handed over or became dead letters, in the same transaction. */
export async function unpark(tx: Database, events: readonly { orderId: string; eventId: string }[]): Promise<void> {
  if (events.length === 0) return;
  await sql`
    delete from parked_events using unnest(${events.map((e) => e.orderId)}::text[],
      ${events.map((e) => e.eventId)}::text[]) as gone(order_id, event_id)
    where parked_events.order_id = gone.order_id and parked_events.event_id = gone.event_id
  `.execute(tx);
}

/**
 * Takes events whose deadline has passed away from orders that did not come, at most `limit` orders of them, and forgets
 * the orders nothing waits for any more. Orders another process is at are left to it. Returns what was taken.
 */
export async function takeOverdue(tx: Database, limit: number): Promise<LifecycleRecord[]> {
  const { rows: orders } = await sql<{ order_id: string }>`
    select order_id from ledger where state = ${ledgerState('awaited')} and order_id in (
      select order_id from parked_events where deadline < clock_timestamp() order by deadline limit ${limit}
    ) order by order_id for update skip locked
  `.execute(tx);
  const orderIds = orders.map((row) => row.order_id);
  if (orderIds.length === 0) return [];
  const { rows } = await sql<ParkedRow>`
    delete from parked_events where order_id = any(${orderIds}::text[]) and deadline < clock_timestamp() returning *
  `.execute(tx);
  await sql`
    delete from ledger where order_id = any(${orderIds}::text[]) and state = ${ledgerState('awaited')}
      and not exists (select from parked_events where parked_events.order_id = ledger.order_id)
  `.execute(tx);
  return rows.map(parkedFrom);
}

/** Orders that were started, perhaps closed, while events are still parked for them: handed over by nobody so far. */
export async function ordersWithStrays(db: Database, limit: number): Promise<string[]> {
  const { rows } = await sql<{ order_id: string }>`
    select distinct parked_events.order_id from parked_events join ledger using (order_id)
    where ledger.state in (${ledgerState('started', 'closed')}) limit ${limit}
  `.execute(db);
  return rows.map((row) => row.order_id);
}
