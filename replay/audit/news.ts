import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import { postedId } from '../../database/posted-records.ts';
import { storable } from '../../database/records.ts';
import { readUpdate } from '../../ingest/carrier/topic.ts';
import { deadLetterId } from '../../ingest/dead-letters.ts';
import { storedRecord } from '../../ingest/record.ts';
import { orderIdOf } from '../../domain/ids.ts';
import type { Codec } from '../../kafka/codec.ts';
import type { ConsumedRecord } from '../../kafka/consumer.ts';
import { headerText } from '../../kafka/headers.ts';
import type { Difference, OrderCheck } from './difference.ts';
import type { TopicReading } from './topic-reading.ts';

/**
 * Topic `carrier-updates` ↔ database: every committed record is taken in, parked or a dead letter. Of an order that was
 * rebuilt nobody can tell: what carriers said of it before is lost.
 * @throws OmsError OMS_REGISTRY_UNAVAILABLE, OMS_DATABASE_UNAVAILABLE (retryable)
 */
export async function auditNews(
  { db, codec }: { db: Database; codec: Codec },
  records: readonly ConsumedRecord[],
): Promise<Difference[]> {
  if (records.length === 0) return [];
  await codec.prefetch(records.map(({ value }) => value));
  const read = records.map((record) => ({ record, news: readUpdate(codec, record).given?.news }));
  // One statement: news that goes from one place to another meanwhile is seen in one of them.
  const { rows } = await sql<{ position: number }>`
    select given.position::int from unnest(
      ${read.map(({ news }) => news?.shipmentId ?? null)}::text[], ${read.map(({ news }) => news?.updateId ?? null)}::text[],
      ${read.map(({ news }) => (news ? orderIdOf(news.shipmentId) : null))}::text[],
      ${records.map((record) => deadLetterId(storedRecord(record)))}::text[]
    ) with ordinality as given(shipment_id, update_id, order_id, letter_id, position)
    where not exists (
      select from carrier_updates u where u.shipment_id = given.shipment_id and u.update_id = given.update_id
    ) and not exists (
      select from parked_carrier_news p where p.shipment_id = given.shipment_id and p.update_id = given.update_id
    ) and not exists (select from dead_letters l where l.id = given.letter_id)
      and not exists (select from orders o where o.order_id = given.order_id and o.rebuilt_at is not null)
    order by given.position
  `.execute(db);
  return rows.flatMap(({ position }) => lost(read[position - 1]));
}

function lost(one: { record: ConsumedRecord; news: { shipmentId: string; updateId: string } | undefined } | undefined) {
  if (!one) return [];
  const { topic, partition, offset } = one.record;
  const what = one.news ? `update ${one.news.updateId} of shipment ${one.news.shipmentId}` : 'a record nobody can read';
  const difference: Difference = {
    ...{ part: 'news', code: 'OMS_AUDIT_NEWS_LOST', subject: `${topic} ${partition}:${offset}`, remedy: null },
    orderId: one.news ? orderIdOf(one.news.shipmentId) : null,
    detail: `${what} was committed, and is neither taken in, nor parked, nor a dead letter`,
  };
  return [difference];
}

/** Notes which records are ours: what was told over HTTP, taken in, and put on the topic by the publisher. */
export async function notePosted(seen: Database, records: readonly ConsumedRecord[]): Promise<void> {
  const ids = records.flatMap(({ key, headers }) => {
    const eventId = headerText(headers, 'ce_id');
    return key && eventId !== undefined ? [storable(postedId(key.toString(), eventId))] : [];
  });
  if (ids.length === 0) return;
  await sql`
    insert into audit_seen (outbox_id, partition, first_offset, last_offset)
    select id, 0, 0, 0 from outbox where event_id = any(${ids}::text[]) on conflict do nothing
  `.execute(seen);
}

/** Database ↔ topic: news told over HTTP stands on the topic, too. What carriers push stands in the database only. */
export function postedNewsCheck({ seen, readAt, keptSince }: TopicReading & { seen: Database }): OrderCheck {
  return async (orderIds) => {
    const { rows } = await sql<{ orderId: string; eventId: string }>`
      select e.order_id as "orderId", e.event_id as "eventId" from outbox e
      where e.order_id = any(${[...orderIds]}::text[]) and e.topic = 'carrier-updates' and e.sent_at < ${readAt}
        and e.skipped_at is null and e.created_at > ${keptSince['carrier-updates'] ?? new Date(0)}
        and not exists (select from audit_seen s where s.outbox_id = e.id)
      order by e.order_id, e.id
    `.execute(seen);
    return rows.map(({ orderId, eventId }) => ({
      ...{ part: 'news', code: 'OMS_AUDIT_NEWS_MISSING', orderId, subject: eventId, remedy: 'sendAgain' },
      detail: 'was told over HTTP and sent to carrier-updates, and is not there',
    }));
  };
}
