import { sql } from 'kysely';
import { OmsError } from '../../domain/errors.ts';
import { transaction } from '../database.ts';
import type { Database } from '../database.ts';
import { recordDecision } from '../decisions.ts';
import type { Operator } from '../decisions.ts';
import { OUTBOX_CHANNEL } from './outbox.ts';

/** An event that is committed and not yet confirmed by Kafka. All of it is fixed: a repeat is identical. */
export interface UnsentEvent {
  id: number;
  eventId: string;
  orderId: string;
  /** Without prefix. */
  topic: string;
  key: string;
  value: Buffer;
  headers: Record<string, string>;
  /** Database time, ms since the epoch. */
  createdAt: number;
}

/** Values read at once, in bytes: an order of thousands of lines makes events of hundreds of kB. */
const READ_BYTES = 16 * 1_024 * 1_024;

/** Events are spread unevenly over the shards: one may fill so many times its part of a read. */
const SPREAD = 4;

interface UnsentRow {
  id: number;
  event_id: string;
  order_id: string;
  topic: string;
  key: string;
  value: Buffer;
  headers: Record<string, string>;
  created_at: Date;
}

/**
 * Unsent events of the shards, oldest first, at most `limit` of them and about 16 MB; those of an order are in version
 * order and without a gap, because each step numbers them on from the version it read. Orders in `except` are left out.
 */
export async function readUnsent(
  db: Database,
  options: { shards: readonly number[]; except: readonly string[]; limit: number },
): Promise<UnsentEvent[]> {
  const { shards, except, limit } = options;
  // Shard by shard, so that the index gives the order and a read costs the same however much waits.
  const perShard = Math.ceil((SPREAD * limit) / shards.length);
  const { rows } = await sql<UnsentRow>`
    with oldest as (
      select event.* from unnest(${shards}::smallint[]) as own(shard) cross join lateral (
        select id, event_id, order_id, topic, key, value, headers, created_at from outbox
        where sent_at is null and shard = own.shard and order_id <> all(${except}::text[])
        order by id limit ${perShard}
      ) as event
      order by id limit ${limit}
    ), measured as (
      select *, sum(octet_length(value)) over (order by id rows unbounded preceding) - octet_length(value) as before
      from oldest
    )
    select id, event_id, order_id, topic, key, value, headers, created_at from measured
    where before < ${READ_BYTES} order by id`.execute(db);
  return rows.map(unsentEvent);
}

function unsentEvent(row: UnsentRow): UnsentEvent {
  const { id, topic, key, value, headers } = row;
  const createdAt = row.created_at.getTime();
  return { id, eventId: row.event_id, orderId: row.order_id, topic, key, value, headers, createdAt };
}

/** Marks confirmed events as sent; returns how long each took from its commit until now, in seconds of database time. */
export async function markSent(db: Database, ids: readonly number[]): Promise<number[]> {
  if (ids.length === 0) return [];
  const { rows } = await sql<{ delay: number }>`
    update outbox set sent_at = clock_timestamp(), held_reason = null
    where id = any(${ids}::bigint[]) and sent_at is null
    returning extract(epoch from clock_timestamp() - created_at)::float8 as delay`.execute(db);
  return rows.map(({ delay }) => delay);
}

/** Notes why an event could not be sent; it stays unsent. */
export async function markHeld(db: Database, id: number, reason: string): Promise<void> {
  await db
    .updateTable('outbox')
    .set({ held_reason: reason })
    .where('id', '=', id)
    .where('sent_at', 'is', null)
    .where(sql<boolean>`held_reason is distinct from ${reason}`)
    .execute();
}

/** How much of the outbox waits, over all shards. */
export interface OutboxDepth {
  unsent: number;
  /** Of them, those Kafka would not take. Later events of the same orders wait for them. */
  held: number;
  /** Age of the oldest that does not wait for a held one, in seconds; 0 when there is none. */
  oldestSeconds: number;
}

export async function readOutboxDepth(db: Database): Promise<OutboxDepth> {
  const { rows } = await sql<OutboxDepth>`
    with unsent as materialized (select order_id, created_at, held_reason from outbox where sent_at is null)
    select count(*) as unsent, count(held_reason) as held,
      coalesce(extract(epoch from clock_timestamp() - min(created_at) filter (
        where order_id not in (select order_id from unsent where held_reason is not null)
      )), 0)::float8 as "oldestSeconds"
    from unsent`.execute(db);
  return rows[0] ?? { unsent: 0, held: 0, oldestSeconds: 0 };
}

/** An event Kafka will not take as it is, and what waits behind it. */
export interface HeldEvent {
  orderId: string;
  eventId: string;
  topic: string;
  type: string;
  bytes: number;
  /** Error code and words. */
  reason: string;
  createdAt: Date;
  /** Later events of the order that wait for it. */
  waiting: number;
}

const HELD = sql`
  select held.order_id as "orderId", held.event_id as "eventId", held.topic, held.type,
    octet_length(held.value) as bytes, held.held_reason as reason, held.created_at as "createdAt",
    (select count(*) from outbox later
      where later.order_id = held.order_id and later.sent_at is null and later.id > held.id) as waiting
  from outbox held where held.sent_at is null and held.held_reason is not null`;

/** Held events, longest held first. */
export async function listHeldEvents(db: Database, limit: number): Promise<HeldEvent[]> {
  const { rows } = await sql<HeldEvent>`${HELD} order by held.id limit ${limit}`.execute(db);
  return rows;
}

/**
 * Gives the order's first held event up: it is not sent, stays in the outbox, and the order's later events go on. Readers
 * of its topic see a gap in the sequence. Recorded as a decision about the event, in the same transaction.
 * @throws OmsError OMS_OUTBOX_NOT_HELD, also when the publisher has sent it in the meantime
 */
export function releaseHeldEvent(db: Database, orderId: string, by: Operator): Promise<HeldEvent> {
  return transaction(db, async (tx) => {
    const { rows } = await sql<HeldEvent>`
      ${HELD} and held.order_id = ${orderId} order by held.id limit 1 for update of held
    `.execute(tx);
    const held = rows[0];
    if (!held)
      throw new OmsError('OMS_OUTBOX_NOT_HELD', `no event of order ${orderId} is held: \`oms orders held ls\``);
    await sql`
      update outbox set skipped_at = clock_timestamp(), sent_at = clock_timestamp() where event_id = ${held.eventId}
    `.execute(tx);
    const { eventId, topic, reason, bytes } = held;
    const detail = { orderId, topic, reason, bytes };
    await recordDecision(tx, by, { kind: 'event', subject: eventId, action: 'release', detail }, { skipped: true });
    await sql`select pg_notify(${OUTBOX_CHANNEL}, '')`.execute(tx);
    return held;
  });
}
