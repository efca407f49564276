import { sql } from 'kysely';
import { transaction } from '../database.ts';
import type { Database } from '../database.ts';

/** Where a reader of the outbox stands. Nothing ever appears behind a position that was read. */
export interface FeedPosition {
  /** Transaction id. */
  tx: bigint;
  id: number;
}

/** An event of an order that was told. */
export interface ToldEvent {
  orderId: string;
  eventId: string;
  version: number;
  topic: string;
  type: string;
  cause: string;
  at: Date;
}

/** An event, as the feed of all orders tells of it. */
export interface FeedEvent extends ToldEvent {
  position: FeedPosition;
  customerId: string;
}

/** Events after a position, and where to read on. */
export interface FeedPage {
  events: FeedEvent[];
  upTo: FeedPosition;
}

export function isBefore(a: FeedPosition, b: FeedPosition): boolean {
  return a.tx < b.tx || (a.tx === b.tx && a.id < b.id);
}

type FeedRow = Omit<FeedEvent, 'position'> & { horizon: string; tx: string; id: number | null };

/**
 * The oldest transaction under way that may tell something yet: those in other databases of the server cannot. Each holds
 * a lock on its own id. One that has ended since the snapshot was taken, or was prepared, is nobody's, and waited for.
 * Counted by a statement that reads no event either.
 */
const HORIZON = sql`horizon as materialized (
  select oms_feed_number(coalesce(min(under_way), pg_snapshot_xmax(pg_current_snapshot()))) as tx
  from pg_snapshot_xip(pg_current_snapshot()) as under_way where under_way::xid not in (
    select held.transactionid from pg_locks held join pg_stat_activity other using (pid)
    where held.locktype = 'transactionid' and held.mode = 'ExclusiveLock' and held.granted and other.datname <> current_database()
  )
)`;

/** Positions that were given out after a backup was taken lie so far behind its last one at most. */
const BEYOND_BACKUP = 2n ** 40n;

/** Whether events carry numbers that this server's transactions have not come to: the feed is silent until then. */
export async function isFeedAhead(db: Database): Promise<boolean> {
  const { rows } = await sql<{ ahead: boolean }>`
    select coalesce(max(tx) >= oms_feed_number(pg_snapshot_xmax(pg_current_snapshot())), false) as ahead
    from outbox where version is not null
  `.execute(db);
  return rows[0]?.ahead ?? false;
}

/**
 * Where a dump was restored on a server whose transaction ids begin anew, new events are numbered on behind all positions
 * that readers may hold, those told since the restore, too. Returns whether that was needed.
 */
export async function mendFeed(db: Database): Promise<boolean> {
  if (!(await isFeedAhead(db))) return false;
  await transaction(db, async (tx) => {
    const { rows } = await sql<{ last: string; lastId: number; now: string; added: string }>`
      select max(tx)::text as last, max(id) filter (where tx >= oms_feed_number(pg_snapshot_xmax(pg_current_snapshot()))) as "lastId",
        pg_snapshot_xmin(pg_current_snapshot())::text as now, oms_feed_number('0')::text as added
      from outbox where version is not null
    `.execute(tx);
    const { last = 0, lastId = 0, now = 0, added = 0 } = rows[0] ?? {};
    const add = BigInt(last) + BEYOND_BACKUP - BigInt(now);
    await sql`
      create or replace function oms_feed_number(transaction_id xid8) returns xid8 language sql immutable
        return ((transaction_id::text)::bigint + ${sql.lit(add)})::text::xid8
    `.execute(tx);
    await sql`
      update outbox set tx = ((tx::text)::bigint + ${sql.lit(add - BigInt(added))})::text::xid8 where id > ${lastId}
    `.execute(tx);
  });
  return true;
}

/**
 * Events told by the OMS since a position, oldest first. Only what is older than every transaction under way in this
 * database is read, so that one which commits late is not passed over; it shows up a moment later.
 */
export async function readFeed(db: Database, since: FeedPosition, limit: number): Promise<FeedPage> {
  const { rows } = await sql<FeedRow>`
    with ${HORIZON} select horizon.tx::text as horizon, told.* from horizon left join lateral (
      select e.tx::text as tx, e.id, e.order_id as "orderId", o.customer_id as "customerId", e.event_id as "eventId",
        e.version, e.topic, e.type, e.cause, e.created_at as at
      from outbox e join orders o on o.order_id = e.order_id
      where (e.tx, e.id) > (${String(since.tx)}::xid8, ${since.id}) and e.tx < horizon.tx and e.version is not null
      order by e.tx, e.id limit ${sql.lit(limit)}
    ) as told on true
  `.execute(db);
  const events = rows.flatMap(({ horizon: _horizon, tx, id, ...event }) =>
    id === null ? [] : [{ ...event, position: { tx: BigInt(tx), id } }],
  );
  const last = events.at(-1)?.position ?? since;
  const end = { tx: BigInt(rows[0]?.horizon ?? 0), id: 0 };
  return { events, upTo: events.length < limit && isBefore(last, end) ? end : last };
}

/** Where a reader begins that wants only what comes from now on; every position given out so far is not behind it. */
export async function feedEnd(db: Database): Promise<FeedPosition> {
  const { rows } = await sql<{ horizon: string }>`with ${HORIZON} select tx::text as horizon from horizon`.execute(db);
  return { tx: BigInt(rows[0]?.horizon ?? 0), id: 0 };
}

/** How far an order has come, for those who follow it. */
export interface OrderMark {
  version: number;
  isClosed: boolean;
}

/** Null when there is no such order, or only word of it. An order that no worker has taken stands at version 0. */
export async function readOrderMark(db: Database, orderId: string): Promise<OrderMark | null> {
  const { rows } = await sql<OrderMark>`
    select coalesce(o.version, 0) as version, o.closed_at is not null as "isClosed"
    from (select ${orderId}::text as id) as given
    left join orders o on o.order_id = given.id left join ledger l on l.order_id = given.id
    where o.order_id is not null or l.claimed_at is not null
  `.execute(db);
  return rows[0] ?? null;
}

/** What was told of an order after a version, in version order: each step numbers them on from the version it read. */
export async function readToldEvents(
  db: Database,
  orderId: string,
  after: number,
  limit: number,
): Promise<ToldEvent[]> {
  const { rows } = await sql<ToldEvent>`
    select order_id as "orderId", event_id as "eventId", version, topic, type, cause, created_at as at
    from outbox where order_id = ${orderId} and version > ${after} order by version limit ${sql.lit(limit)}
  `.execute(db);
  return rows;
}

/** Which of these orders have come further than the version beside them: their positions in the input. */
export async function ordersBeyond(
  db: Database,
  marks: readonly { orderId: string; version: number }[],
): Promise<number[]> {
  const { rows } = await sql<{ position: number }>`
    select given.position::int as position
    from unnest(${marks.map((mark) => mark.orderId)}::text[], ${marks.map((mark) => mark.version)}::bigint[])
      with ordinality as given(order_id, version, position)
    join orders o on o.order_id = given.order_id and o.version > given.version
  `.execute(db);
  return rows.map(({ position }) => position - 1);
}
