import { transaction } from '../../database/database.ts';
import type { Database } from '../../database/database.ts';
import { announcePosted, postRecord } from '../../database/ledger/posted-records.ts';
import type { IncomingTopic } from '../../database/ledger/posted-records.ts';
import type { Codec } from '../../kafka/codec/codec.ts';
import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';
import { CONTENT_TYPE, EVENT_HEADERS } from '../../kafka/headers.ts';
import { topicNames } from '../../kafka/topics.ts';
import { toIncomingEvent } from '../../orders/intake/order-event.ts';
import type { EventType, IncomingEvent } from '../../orders/intake/order-event.ts';
import type { OrderEvent } from '../../schemas/index.ts';

/** What a command needs to write a record for an input topic. */
export interface PostingDependencies {
  /** Loaded: `codec.load()` was awaited. */
  codec: Codec;
  /** OMS_PREFIX */
  prefix: string;
  /** The `source` of events that come by HTTP. */
  source: string;
}

/** An order event made here, as ingest will read it back from the topic. */
export interface OwnEvent {
  event: OrderEvent;
  incoming: IncomingEvent;
  value: Buffer;
}

/** The envelope of an event that comes by HTTP. */
export function envelope(deps: PostingDependencies, orderId: string, eventId: string): Omit<OrderEvent, 'payload'> {
  return { eventId, orderId, occurredAt: Date.now(), source: deps.source, sequence: null };
}

/**
 * Checks an event by the very rules ingest holds it to, so that nothing is accepted here that is refused there.
 * @throws OmsError OMS_INGEST_FIELD_INVALID, OMS_INGEST_TOO_LARGE
 */
export function ownEvent({ codec, prefix }: PostingDependencies, event: OrderEvent): OwnEvent {
  const topic = topicNames(prefix).orders;
  // Checked before it is encoded: the rules name what is wrong better than the schema does.
  toIncomingEvent(event, unsent(topic, event.orderId, Buffer.alloc(0)));
  const value = codec.encode(topic, event);
  return { event, value, incoming: toIncomingEvent(event, unsent(topic, event.orderId, value)) };
}

/** The record as it will be, before it has a place on its topic. */
function unsent(topic: string, key: string, value: Buffer): ConsumedRecord {
  return { topic, partition: -1, offset: -1n, key: Buffer.from(key), value, timestamp: Date.now(), headers: {} };
}

/** Puts an order event on its way to the topic. Answers whether its id is new. */
export function postEvent(tx: Database, { event, incoming, value }: OwnEvent): Promise<boolean> {
  const { orderId, eventId, source } = event;
  return post(tx, { topic: 'orders', orderId, key: orderId, eventId, type: incoming.type, value, source });
}

/** A transaction that may post records, and the word to publishers that it has. */
export async function postingTransaction<T>(db: Database, work: (tx: Database) => Promise<T>): Promise<T> {
  const result = await transaction(db, work);
  announcePosted(db);
  return result;
}

interface Post {
  topic: IncomingTopic;
  orderId: string;
  key: string;
  eventId: string;
  type: EventType | 'CarrierUpdate';
  value: Buffer;
  source: string;
}

/** A record for an input topic, with the headers our own producers give. */
export function post(tx: Database, { source, ...record }: Post): Promise<boolean> {
  const record_type = record.topic === 'orders' ? 'OrderEvent' : 'CarrierUpdate';
  const headers = {
    [EVENT_HEADERS.specversion]: '1.0',
    [EVENT_HEADERS.id]: record.eventId,
    [EVENT_HEADERS.type]: `oms.${record_type}.${record.type}`,
    [EVENT_HEADERS.source]: source,
    [EVENT_HEADERS.time]: new Date().toISOString(),
    [EVENT_HEADERS.subject]: record.key,
    [EVENT_HEADERS.contentType]: CONTENT_TYPE,
  };
  return postRecord(tx, { ...record, headers });
}
