import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import type { Codec } from '../../kafka/codec/codec.ts';
import { DEPLOYMENT_HEADER, cloudEventHeaders } from '../../kafka/headers.ts';
import { topicNames } from '../../kafka/topics.ts';
import type { OutgoingTopic } from '../../kafka/topics.ts';
import type { Sequences } from '../../schemas/index.ts';

export type { OutgoingTopic } from '../../kafka/topics.ts';

/** What the outbox adds to an event's own fields when it is first written. */
export interface Envelope {
  eventId: string;
  orderId: string;
  version: number;
  sequence: number;
  /** Database time, ms since the epoch. */
  occurredAt: number;
  cause: string;
  /** On the topics that forget their events, this one counted; only `order-status`, which is kept, tells them. */
  sequences: Sequences;
}

/** An event to be told. Its id is a natural key of the business fact, so telling it twice is telling it once. */
export interface NewEvent {
  topic: OutgoingTopic;
  eventId: string;
  type: string;
  /** Id of the incoming event or name of the step that led to it. */
  cause: string;
  /** The record's own fields, as in the topic's schema, without the envelope. */
  fields: Record<string, unknown>;
}

/** Turns an event into the bytes and headers that go on the topic; pure and synchronous, so that it can run in a transaction. */
export interface EventEncoder {
  encode(event: NewEvent, envelope: Envelope): { value: Buffer; headers: Record<string, string> };
}

/** Every row carries one of this many shards for ever; the publishers share them out. */
export const OUTBOX_SHARDS = 256;

/** Channel announcing that the outbox has something to send. */
export const OUTBOX_CHANNEL = 'oms_outbox';

/** Where the numbers of an order's events stand. */
export interface Numbering {
  version: number;
  sequences: Record<string, number>;
  /** Database time, ms since the epoch. */
  now: number;
}

/** Headers of an event with the id that the database it is written in has: whatever writes it, it is that deployment's. */
export function ofDeployment(headers: RawBuilder<unknown>): RawBuilder<string> {
  const own = sql`(select jsonb_build_object(${DEPLOYMENT_HEADER}::text, id) from deployment)`;
  return sql`${headers} || coalesce(${own}, '{}')`;
}

/** An event's row, its numbers and bytes fixed. Counts `numbering` on: versions over all topics, sequences on the event's own. */
export function outboxRow(encoder: EventEncoder, orderId: string, event: NewEvent, numbering: Numbering) {
  const { topic, eventId, type, cause } = event;
  const version = ++numbering.version;
  const sequence = (numbering.sequences[topic] ?? 0) + 1;
  numbering.sequences[topic] = sequence;
  const { shipments = 0, invoices = 0, deliveries = 0 } = numbering.sequences;
  const sequences = { shipments, invoices, deliveries };
  const envelope: Envelope = { eventId, orderId, version, sequence, occurredAt: numbering.now, cause, sequences };
  const { value, headers } = encoder.encode(event, envelope);
  const shard = shardOf(orderId);
  return {
    event_id: eventId,
    order_id: orderId,
    version,
    topic,
    sequence,
    type,
    cause,
    key: orderId,
    value,
    headers: JSON.stringify(headers),
    shard,
  };
}

/** FNV-1a, 32 bits: spreads orders evenly over the shards, the same in every process. */
export function shardOf(orderId: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < orderId.length; i++) hash = Math.imul(hash ^ orderId.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % OUTBOX_SHARDS;
}

interface EventEncoderOptions {
  /** Loaded: `codec.load()` was awaited. */
  codec: Codec;
  /** OMS_PREFIX */
  prefix: string;
  /** The CloudEvents source. @default `oms` */
  source?: string;
}

/** Turns events of the outbox into Avro values with CloudEvents headers. */
export function createEventEncoder(options: EventEncoderOptions): EventEncoder {
  const names = topicNames(options.prefix);
  const source = options.source ?? 'oms';
  return {
    encode: (event, envelope) => ({
      value: options.codec.encode(names[event.topic], { ...envelope, ...event.fields }),
      headers: cloudEventHeaders({
        id: envelope.eventId,
        type: `oms.${event.type}`,
        source,
        time: envelope.occurredAt,
        subject: envelope.orderId,
        sequence: envelope.sequence,
      }),
    }),
  };
}
