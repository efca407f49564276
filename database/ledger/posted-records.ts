import { sql } from 'kysely';
import { CAUSES } from '../../domain/causes.ts';
import { POSTED_PREFIX } from '../../domain/ids.ts';
import type { Database } from '../database.ts';
import { OUTBOX_CHANNEL, shardOf } from '../outbox/outbox.ts';

/** Our input topics, named without prefix. */
export type IncomingTopic = 'orders' | 'carrier-updates';

/** A record for one of our input topics, written by us: what somebody asked for by another way than the topic. */
export interface PostedRecord {
  topic: IncomingTopic;
  orderId: string;
  /** Id of the event in the record, unique within what its key names. */
  eventId: string;
  /** The event's kind, as people read it. */
  type: string;
  key: string;
  value: Buffer;
  headers: Record<string, string>;
}

/** A record that was posted and is not known to be handled. */
export interface PostedEvent {
  eventId: string;
  type: string;
  at: Date;
}

/** Id in the outbox of a record that was posted. */
export const postedId = (key: string, eventId: string): string => `${POSTED_PREFIX}${key}/${eventId}`;

/**
 * Puts a record for an input topic into the outbox, in the transaction that takes in what it says. The publisher sends it
 * in order with everything else of its order, and it is read back like any other record. A repeat, by key and event id,
 * leaves the first as it was. Answers whether it is new.
 */
export async function postRecord(tx: Database, record: PostedRecord): Promise<boolean> {
  const { topic, orderId, eventId, type, key, value, headers } = record;
  const { rows } = await sql`
    insert into outbox (event_id, order_id, topic, type, cause, key, value, headers, shard)
    values (${postedId(key, eventId)}, ${orderId}, ${topic}, ${type}, ${CAUSES.http}, ${key}, ${value},
      ${JSON.stringify(headers)}::jsonb, ${shardOf(orderId)})
    on conflict (event_id) do nothing returning 1
  `.execute(tx);
  return rows.length > 0;
}

const ANNOUNCE_AFTER_MS = 20;
const announcing = new WeakSet<Database>();

/**
 * Tells publishers that records were posted, once for all of a moment. Outside of the transactions that post, because one
 * that announces holds a lock of the whole database until its commit is on disk, and so no two commit together. An
 * announcement that is lost costs a publisher's poll.
 */
export function announcePosted(db: Database): void {
  if (announcing.has(db)) return;
  announcing.add(db);
  setTimeout(() => {
    announcing.delete(db);
    void sql`select pg_notify(${OUTBOX_CHANNEL}, '')`.execute(db).catch(() => undefined);
  }, ANNOUNCE_AFTER_MS).unref();
}

/** What was asked of an order and has not come back from the topic yet, in the order it was asked. */
export async function postedEvents(db: Database, orderId: string): Promise<PostedEvent[]> {
  const { rows } = await sql<PostedEvent>`
    select substr(event_id, length(key) + ${POSTED_PREFIX.length + 2}) as "eventId", type, created_at as at from outbox
    where order_id = ${orderId} and topic = 'orders' and not exists (
      select from ledger_events e where e.order_id = outbox.order_id
        and e.event_id = substr(outbox.event_id, length(outbox.key) + ${POSTED_PREFIX.length + 2}))
    order by id
  `.execute(db);
  return rows;
}
