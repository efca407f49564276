import { sql } from 'kysely';
import { OmsError } from '../../domain/errors.ts';
import { transaction } from '../database.ts';
import type { Database } from '../database.ts';
import { recordDecision } from '../decisions.ts';
import type { Operator } from '../decisions.ts';
import { OUTBOX_CHANNEL } from './outbox.ts';

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
