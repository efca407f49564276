import { sql } from 'kysely';
import type { LifecycleMessage } from '../../domain/order-messages.ts';
import type { PlacedOrder } from '../../domain/order.ts';
import type { Database } from '../database.ts';
import type { LedgerEventsTable, LedgerState } from '../tables/ledger.ts';

/** All the ledger holds about one order, for people. */
export interface LedgerRecord {
  orderId: string;
  state: LedgerState;
  source: string | null;
  /** Null while the order is only awaited. */
  placed: PlacedOrder | null;
  placedEventId: string | null;
  /** The one run that has the order; null until it took it. */
  runId: string | null;
  /** Where the order stands on its topic. */
  position: { topic: string; partition: number; offset: number } | null;
  awaitedAt: Date | null;
  claimedAt: Date | null;
  startedAt: Date | null;
  closedAt: Date | null;
  events: { eventId: string; type: string; outcome: LedgerEventsTable['outcome']; at: Date }[];
  /** What waits for the order. */
  parked: { eventId: string; message: LifecycleMessage; parkedAt: Date; deadline: Date }[];
}

/** Undefined when the order id was never heard of. */
export async function readLedgerRecord(db: Database, orderId: string): Promise<LedgerRecord | undefined> {
  const row = await db.selectFrom('ledger').selectAll().where('order_id', '=', orderId).executeTakeFirst();
  if (!row) return undefined;
  const { record_topic: topic, record_partition: partition, record_offset: offset } = row;
  return {
    orderId,
    state: row.state,
    source: row.source,
    placed: row.placed,
    placedEventId: row.placed_event_id,
    runId: row.run_id,
    position: topic !== null && partition !== null && offset !== null ? { topic, partition, offset } : null,
    awaitedAt: row.awaited_at,
    claimedAt: row.claimed_at,
    startedAt: row.started_at,
    closedAt: row.closed_at,
    events: await eventsOf(db, orderId),
    parked: await parkedOf(db, orderId),
  };
}

async function eventsOf(db: Database, orderId: string): Promise<LedgerRecord['events']> {
  return db
    .selectFrom('ledger_events')
    .select([sql<string>`event_id`.as('eventId'), 'type', 'outcome', 'at'])
    .where('order_id', '=', orderId)
    .orderBy('at')
    .execute();
}

async function parkedOf(db: Database, orderId: string): Promise<LedgerRecord['parked']> {
  return db
    .selectFrom('parked_events')
    .select([sql<string>`event_id`.as('eventId'), 'message', sql<Date>`parked_at`.as('parkedAt'), 'deadline'])
    .where('order_id', '=', orderId)
    .orderBy('parked_at')
    .execute();
}
