import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import type { OutgoingTopic } from '../../database/outbox/outbox.ts';
import type { Difference, OrderCheck, TopicReading } from './difference.ts';

/** On the connection that has the table `audit_seen`. */
type TopicCheckOptions = TopicReading & { seen: Database };

interface Row {
  orderId: string;
  eventId: string;
  topic: OutgoingTopic;
  sequence: number;
}

/** Topics that lose nothing but what is too old. */
const WHOLE: readonly OutgoingTopic[] = ['shipments', 'invoices', 'deliveries'];

/** Outbox ↔ topics, order by order, by what was seen when the topics were read. */
export function topicChecks(options: TopicCheckOptions): OrderCheck[] {
  return [missingCheck(options), disorderCheck(options), staleStatusCheck(options)];
}

function missingCheck({ seen, readAt, keptSince }: TopicCheckOptions): OrderCheck {
  const since = WHOLE.map((topic) => keptSince[topic] ?? new Date(0));
  return async (orderIds) => {
    const { rows } = await sql<Row & { isLast: boolean }>`
      select e.order_id as "orderId", e.event_id as "eventId", e.topic, e.sequence,
        not exists (
          select from outbox later join audit_seen s on s.outbox_id = later.id
          where later.order_id = e.order_id and later.topic = e.topic and later.sequence > e.sequence
        ) as "isLast"
      from outbox e
      join unnest(${[...WHOLE]}::text[], ${since}::timestamptz[]) as kept(topic, since) on kept.topic = e.topic
      where e.order_id = any(${[...orderIds]}::text[]) and e.sent_at < ${readAt} and e.skipped_at is null
        and e.created_at > kept.since and not exists (select from audit_seen s where s.outbox_id = e.id)
      order by e.order_id, e.id
    `.execute(seen);
    return rows.map(({ orderId, eventId, topic, sequence, isLast }) => ({
      ...{ part: 'topics', code: 'OMS_AUDIT_RECORD_MISSING', orderId, subject: eventId },
      detail: `was sent to ${topic} as number ${sequence}, and is not there${isLast ? '' : '; later ones are'}`,
      // Sent now, it would come behind later ones: readers that go by the sequence would not see it.
      remedy: isLast ? 'sendAgain' : null,
    }));
  };
}

function disorderCheck({ seen }: TopicCheckOptions): OrderCheck {
  return async (orderIds) => {
    const { rows } = await sql<Row & { before: number }>`
      select * from (
        select e.order_id as "orderId", e.event_id as "eventId", e.topic, e.sequence,
          lag(e.sequence) over (partition by e.order_id, e.topic, s.partition order by s.first_offset) as before
        from outbox e join audit_seen s on s.outbox_id = e.id
        where e.order_id = any(${[...orderIds]}::text[]) and e.topic = any(${[...WHOLE]}::text[])
      ) as told where before > sequence
    `.execute(seen);
    return rows.map(({ orderId, eventId, topic, sequence, before }): Difference => ({
      ...{ part: 'topics', code: 'OMS_AUDIT_RECORD_DISORDERED', orderId, subject: eventId, remedy: null },
      detail: `number ${sequence} of ${topic} stands behind number ${before}`,
    }));
  };
}

/** On the compacted topic the last record of an order is the one that stays: it must be the newest. */
function staleStatusCheck({ seen, readAt }: TopicCheckOptions): OrderCheck {
  return async (orderIds) => {
    const { rows } = await sql<{ orderId: string; eventId: string; newest: number; last: number | null }>`
      with sent as (
        select e.order_id, e.event_id, e.version, s.last_offset from outbox e
        left join audit_seen s on s.outbox_id = e.id
        where e.order_id = any(${[...orderIds]}::text[]) and e.topic = 'order-status' and e.skipped_at is null
          and (s.outbox_id is not null or e.sent_at < ${readAt})
      ), newest as (
        select distinct on (order_id) order_id, event_id, version from sent order by order_id, version desc
      ), last as (
        select distinct on (order_id) order_id, version from sent where last_offset is not null
        order by order_id, last_offset desc
      )
      select n.order_id as "orderId", n.event_id as "eventId", n.version as newest, l.version as last
      from newest n left join last l on l.order_id = n.order_id
      where l.version is distinct from n.version
    `.execute(seen);
    return rows.map(({ orderId, eventId, newest, last }): Difference => ({
      ...{ part: 'topics', code: 'OMS_AUDIT_STATUS_STALE', orderId, subject: eventId, remedy: 'sendAgain' },
      detail: `version ${newest} is the newest, the last on the topic is ${last === null ? 'none' : `version ${last}`}`,
    }));
  };
}
