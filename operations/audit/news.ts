import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import { deadLetterId, refusedValues } from '../../database/dead-letters.ts';
import { postedId } from '../../database/ledger/posted-records.ts';
import { storable, storedRecord } from '../../database/ledger/records.ts';
import { orderIdOf } from '../../domain/ids.ts';
import type { Codec } from '../../kafka/codec/codec.ts';
import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';
import { EVENT_HEADERS, headerText } from '../../kafka/headers.ts';
import { readUpdate } from '../../orders/intake/carrier-news.ts';
import { readValue } from '../../orders/intake/validate.ts';
import type { CarrierUpdate } from '../../schemas/index.ts';
import type { Difference, OrderCheck, TopicReading } from './difference.ts';

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
  const read: ReadNews[] = records.map((record) => ({ record, news: readUpdate(codec, record).given?.news }));
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
  const open = rows.flatMap(({ position }) => read[position - 1] ?? []);
  const refused = await refusedUpdates({ db, codec }, open);
  return open.filter(({ news }) => !news || !refused.has(updateKey(news))).map(lost);
}

type ReadNews = { record: ConsumedRecord; news: Pick<CarrierUpdate, 'shipmentId' | 'updateId'> | undefined };

const updateKey = ({ shipmentId, updateId }: Pick<CarrierUpdate, 'shipmentId' | 'updateId'>): string =>
  `${shipmentId}\n${updateId}`;

/** News that came again while it was parked is refused once: the dead letter is that of the record it came in first. */
async function refusedUpdates(
  { db, codec }: { db: Database; codec: Codec },
  open: readonly ReadNews[],
): Promise<Set<string>> {
  const orderIds = [...new Set(open.flatMap(({ news }) => (news ? orderIdOf(news.shipmentId) : [])))];
  const [topic] = open.map(({ record }) => record.topic);
  if (topic === undefined || orderIds.length === 0) return new Set();
  const values = await refusedValues(db, topic, orderIds);
  await codec.prefetch(values);
  const read = values.map((value) => readValue<CarrierUpdate>(codec, topic, value));
  return new Set(read.flatMap(({ event }) => (event ? updateKey(event) : [])));
}

function lost({ record, news }: ReadNews): Difference {
  const { topic, partition, offset } = record;
  const what = news ? `update ${news.updateId} of shipment ${news.shipmentId}` : 'a record nobody can read';
  return {
    ...{ part: 'news', code: 'OMS_AUDIT_NEWS_LOST', subject: `${topic} ${partition}:${offset}`, remedy: null },
    orderId: news ? orderIdOf(news.shipmentId) : null,
    detail: `${what} was committed, and is neither taken in, nor parked, nor a dead letter`,
  };
}

/** Notes which records are ours: what was told over HTTP, taken in, and put on the topic by the publisher. */
export async function notePosted(seen: Database, records: readonly ConsumedRecord[]): Promise<void> {
  const ids = records.flatMap(({ key, headers }) => {
    const eventId = headerText(headers, EVENT_HEADERS.id);
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
