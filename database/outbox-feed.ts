import { sql } from 'kysely';
import type { Database } from './database.ts';

/** Where a reader of the outbox stands. Nothing ever appears behind a position that was read. */
export interface FeedPosition {
  /** Transaction id, as text: it may pass 2^53. */
  tx: string;
  id: number;
}

/** An event of an order, as the feed tells of it. */
export interface FeedEvent {
  position: FeedPosition;
  orderId: string;
  eventId: string;
  version: number;
  topic: string;
  type: string;
  cause: string;
  at: Date;
}

/**
 * Events told by the OMS since a position, oldest first. Only what is older than every transaction under way is read, so
 * that one which commits late is not passed over; it shows up a moment later.
 */
export async function readFeed(db: Database, since: FeedPosition, limit: number): Promise<FeedEvent[]> {
  const { rows } = await sql<Omit<FeedEvent, 'position'> & FeedPosition>`
    select tx::text as tx, id, order_id as "orderId", event_id as "eventId", version, topic, type, cause,
      created_at as at
    from outbox
    where (tx, id) > (${since.tx}::xid8, ${since.id}) and tx < pg_snapshot_xmin(pg_current_snapshot())
      and version is not null
    order by tx, id limit ${limit}
  `.execute(db);
  return rows.map(({ tx, id, ...event }) => ({ ...event, position: { tx, id } }));
}

/** Where a reader begins that wants only what comes from now on. */
export async function feedEnd(db: Database): Promise<FeedPosition> {
  const { rows } = await sql<{ tx: string }>`
    select (pg_snapshot_xmin(pg_current_snapshot())::text::numeric - 1)::text as tx
  `.execute(db);
  return { tx: rows[0]?.tx ?? '0', id: Number.MAX_SAFE_INTEGER };
}
