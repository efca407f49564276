import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import type { Codec } from '../../kafka/codec/codec.ts';
import { OUTGOING_TOPICS, topicNames } from '../../kafka/topics.ts';
import type { OrderStatusRecord } from '../../schemas/index.ts';
import type { AuditCode, Difference, OrderCheck, WholeCheck } from './difference.ts';

/** Events of orders; rows for the topics we read ourselves are records of others, with no place in our numbering. */
const IS_OUTGOING = sql`topic = any(${[...OUTGOING_TOPICS]}::text[])`;

const found = (code: AuditCode, orderId: string, subject: string, detail: string): Difference => ({
  ...{ part: 'outbox', code, orderId, subject, detail, remedy: null },
});

interface NumberingRow {
  orderId: string;
  topic: string;
  events: number;
  last: number;
  should: number;
}

/** Versions are 1..n over all topics, sequences 1..n on each, and the order counts as many. */
export function numberingCheck(db: Database): OrderCheck {
  return async (orderIds) => {
    const { rows } = await sql<NumberingRow>`
      with told as (
        select o.order_id, o.version, o.sequences, o.rebuilt_at, e.topic, e.version as event_version, e.sequence
        from orders o left join outbox e on e.order_id = o.order_id and e.${IS_OUTGOING}
        where o.order_id = any(${[...orderIds]}::text[])
      ), counted as (
        select order_id, 'all topics' as topic, count(event_version) as events, coalesce(max(event_version), 0) as last,
          max(version) as should, max(rebuilt_at) as rebuilt_at
        from told group by order_id
        union all
        select order_id, topic, count(*), max(sequence), coalesce(max((sequences ->> topic)::bigint), 0), max(rebuilt_at)
        from told where topic is not null group by order_id, topic
      )
      select order_id as "orderId", topic, events, last, should from counted
      where last <> should or (events <> last and rebuilt_at is null)
      order by order_id, topic
    `.execute(db);
    return rows.map(({ orderId, topic, events, last, should }) => {
      const detail = `${events} events up to number ${last}, the order has counted ${should}`;
      return found('OMS_AUDIT_SEQUENCE_GAP', orderId, `${orderId} on ${topic}`, detail);
    });
  };
}

/** What an order's state says must have been told, by the id of the event that tells it. */
const FACTS = sql`
  select f.order_id, f.order_id || '/' || f.n || '/InvoiceIssued/1' as event_id
    from fulfillments f join invoices i using (fulfillment_id) where f.order_id = any(ids)
  union all
  select f.order_id, f.order_id || '/' || f.n || '/InvoicePaid/1'
    from fulfillments f join payments p using (fulfillment_id)
    where f.order_id = any(ids) and p.status in ('success', 'refunded')
  union all
  select f.order_id, f.order_id || '/' || f.n || '/CreditNoteIssued/' || row_number() over (partition by c.fulfillment_id order by c.number)
    from fulfillments f join credit_notes c using (fulfillment_id) where f.order_id = any(ids)
  union all
  select f.order_id, f.order_id || '/' || f.n || '/' || fact.type || '/1'
    from fulfillments f join shipments s on s.shipment_id = f.fulfillment_id
    cross join lateral (values
      ('ShipmentBooked', s.booked_at is not null), ('ShipmentDispatched', s.dispatched_at is not null),
      ('Delivered', s.status = 'delivered'), ('ReturnedToSender', s.status = 'returned')
    ) as fact(type, so)
    where f.order_id = any(ids) and fact.so`;

const FACT_TYPES = ['InvoiceIssued', 'InvoicePaid', 'CreditNoteIssued', 'ShipmentBooked', 'ShipmentDispatched'];
const END_TYPES = ['Delivered', 'ReturnedToSender'];

/** State ↔ outbox: what is so was told, and what was told is so. */
export function factCheck(db: Database): OrderCheck {
  return async (orderIds) => {
    const { rows } = await sql<{ orderId: string; eventId: string; isTold: boolean }>`
      with page as (select ${[...orderIds]}::text[] as ids),
      facts as (select fact.* from page cross join lateral (${FACTS}) as fact),
      told as (
        select order_id, event_id from outbox
        where order_id = any(${[...orderIds]}::text[]) and type = any(${[...FACT_TYPES, ...END_TYPES]}::text[])
      )
      select coalesce(f.order_id, t.order_id) as "orderId", coalesce(f.event_id, t.event_id) as "eventId",
        t.event_id is not null as "isTold"
      from facts f full join told t on t.event_id = f.event_id
      left join orders o on o.order_id = coalesce(f.order_id, t.order_id)
      where (t.event_id is null or f.event_id is null) and o.rebuilt_at is null
    `.execute(db);
    return rows.map(({ orderId, eventId, isTold }) =>
      isTold
        ? found('OMS_AUDIT_EVENT_UNFOUNDED', orderId, eventId, 'was told, and the database has nothing of it')
        : found('OMS_AUDIT_EVENT_MISSING', orderId, eventId, 'is so in the database, and was never told'),
    );
  };
}

interface StatusRow {
  orderId: string;
  status: string;
  parts: [id: string, status: string][] | null;
  value: Buffer;
}

/** The newest status event says what the order's state says. */
export function statusCheck(db: Database, codec: Codec, prefix: string): OrderCheck {
  const topic = topicNames(prefix)['order-status'];
  return async (orderIds) => {
    const { rows } = await sql<StatusRow>`
      select o.order_id as "orderId", o.status, newest.value,
        (select json_agg(json_build_array(f.fulfillment_id, f.status) order by f.n) from fulfillments f
          where f.order_id = o.order_id) as parts
      from orders o cross join lateral (
        select value from outbox e where e.order_id = o.order_id and e.topic = 'order-status'
        order by e.version desc limit 1
      ) as newest
      where o.order_id = any(${[...orderIds]}::text[])
    `.execute(db);
    const decoded = await codec.decodeBatch<OrderStatusRecord>(
      topic,
      rows.map(({ value }) => value),
    );
    return rows.flatMap(({ orderId, status, parts }, i) => {
      const one = decoded[i];
      const told = one?.kind === 'event' ? wordsOf(one.value) : (one?.error.message ?? 'nothing');
      const is = [status, ...(parts ?? []).map(([id, part]) => `${id} ${part}`)].join(', ');
      return told === is ? [] : [found('OMS_AUDIT_STATUS_DIFFERS', orderId, orderId, `is ${is}; was told as ${told}`)];
    });
  };
}

const wordsOf = ({ status, fulfillments }: OrderStatusRecord): string =>
  [status, ...fulfillments.map((one) => `${one.id} ${one.status}`)].join(', ');

interface UnsentRow {
  orderId: string;
  eventId: string;
  topic: string;
  heldReason: string | null;
  events: number;
  createdAt: Date;
}

/** Most orders named; the rest waits for the same cause. */
const MOST_NAMED = 10_000;

/** Events and dead letters that should be on their topics by now. Of each order the first event is named. */
export function unsentCheck(db: Database, graceMs: number): WholeCheck {
  const old = sql`clock_timestamp() - make_interval(secs => ${graceMs / 1_000})`;
  return async () => {
    const { rows } = await sql<UnsentRow>`
      select distinct on (order_id) order_id as "orderId", event_id as "eventId", topic, held_reason as "heldReason",
        created_at as "createdAt", count(*) over (partition by order_id) as events
      from outbox where sent_at is null and created_at < ${old} order by order_id, id limit ${MOST_NAMED}
    `.execute(db);
    const { rows: letters } = await sql<{ id: string; orderId: string | null; createdAt: Date }>`
      select id, order_id as "orderId", created_at as "createdAt" from dead_letters
      where sent_at is null and created_at < ${old} order by created_at limit ${MOST_NAMED}
    `.execute(db);
    return [...rows.map(unsent), ...letters.map(unsentLetter)];
  };
}

function unsent({ orderId, eventId, topic, heldReason, events, createdAt }: UnsentRow): Difference {
  const waits = `${events} events since ${createdAt.toISOString()}, the first for ${topic}`;
  return heldReason === null
    ? found('OMS_AUDIT_EVENT_UNSENT', orderId, eventId, waits)
    : found('OMS_AUDIT_EVENT_HELD', orderId, eventId, `${waits}: ${heldReason}`);
}

function unsentLetter({ id, orderId, createdAt }: { id: string; orderId: string | null; createdAt: Date }): Difference {
  const detail = `dead letter of ${createdAt.toISOString()} is not on its topic`;
  return { part: 'outbox', code: 'OMS_AUDIT_LETTER_UNSENT', orderId, subject: id, detail, remedy: null };
}
