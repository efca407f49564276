import { sql } from 'kysely';
import { rowsOf } from '../../../database/database.ts';
import type { Database } from '../../../database/database.ts';
import { untoldEvents } from '../../../database/deployment/deployment.ts';
import { shardOf } from '../../../database/outbox/outbox.ts';
import type { OutgoingTopic } from '../../../database/outbox/outbox.ts';

/** An event found on its topic, to be kept in the outbox again, as sent. */
export interface FoundEvent {
  topic: OutgoingTopic;
  eventId: string;
  orderId: string;
  version: number;
  sequence: number;
  type: string;
  cause: string;
  key: string;
  value: Buffer;
  headers: Record<string, string>;
  /** Of the record: that of the event's commit. */
  time: number;
}

/**
 * Repeats, and what is there already, change nothing; but what is there and not marked as sent has been sent. Returns the
 * ids of events that are not to be had: something else stands in the outbox under their numbers.
 */
export async function keepFound(db: Database, events: readonly FoundEvent[]): Promise<string[]> {
  const rows = events.map(({ value, time, ...event }) => ({
    ...event,
    value: value.toString('base64'),
    time: new Date(time).toISOString(),
    shard: shardOf(event.orderId),
  }));
  const columns = `topic text, "eventId" text, "orderId" text, version bigint, sequence bigint, type text, cause text,
    key text, value text, headers jsonb, time timestamptz, shard smallint`;
  await sql`
    insert into outbox (event_id, order_id, version, topic, sequence, type, cause, key, value, headers, shard, created_at,
      sent_at)
    select r."eventId", r."orderId", r.version, r.topic, r.sequence, r.type, r.cause, r.key, decode(r.value, 'base64'),
      r.headers, r.shard, r.time, r.time
    from ${rowsOf(rows, columns)} order by r."orderId", r.version
    on conflict do nothing
  `.execute(db);
  const ids = events.map(({ eventId }) => eventId);
  await sql`
    update outbox set sent_at = clock_timestamp(), held_reason = null
    where event_id = any(${ids}::text[]) and sent_at is null
  `.execute(db);
  return [...(await untoldEvents(db, ids))];
}

/** Which of these orders have an event in the outbox, or were claimed before. */
export async function ordersKnown(db: Database, orderIds: readonly string[]): Promise<Set<string>> {
  const { rows } = await sql<{ orderId: string }>`
    select given.order_id as "orderId" from unnest(${[...orderIds]}::text[]) as given(order_id)
    where exists (select from outbox e where e.order_id = given.order_id and e.version is not null)
      or exists (select from ledger l where l.order_id = given.order_id and l.state <> 'awaited')
  `.execute(db);
  return new Set(rows.map(({ orderId }) => orderId));
}

/**
 * All events of the next orders, in key order, that more was told of than their state knows: at most `limit` orders. Of a
 * new database these are all, of a backup those that went on after it.
 */
export async function nextBehind(
  db: Database,
  after: string,
  limit: number,
): Promise<{ orderId: string; topic: OutgoingTopic; value: Buffer }[]> {
  const { rows } = await sql<{ orderId: string; topic: OutgoingTopic; value: Buffer }>`
    select e.order_id as "orderId", e.topic, e.value from outbox e where e.version is not null and e.order_id in (
      select distinct told.order_id from outbox told left join orders o on o.order_id = told.order_id
      where told.order_id > ${after} and told.version > coalesce(o.version, 0)
      order by told.order_id limit ${limit}
    ) order by e.order_id, e.version
  `.execute(db);
  return rows;
}

/**
 * An order's events are sent in version order: of an order that has a later one on its topic, all earlier ones were sent,
 * though a compacted topic may have forgotten them. Sent once more they would come behind it.
 */
export async function markOvertaken(db: Database): Promise<void> {
  await sql`
    update outbox u set sent_at = clock_timestamp(), held_reason = null
    where u.sent_at is null and u.version is not null and exists (
      select from outbox s where s.order_id = u.order_id and s.version > u.version and s.sent_at is not null
    )
  `.execute(db);
}
