import {
  carrierUpdateSchema,
  deliveryEventSchema,
  invoiceEventSchema,
  orderEventSchema,
  orderStatusSchema,
  shipmentEventSchema,
  stockLevelSchema,
} from '../schemas/index.ts';
import type { AvroSchema } from './codec/avro.ts';

/** Topics that we read. */
export const INPUT_TOPICS = ['orders', 'carrier-updates', 'stock-levels'] as const;
export type InputTopic = (typeof INPUT_TOPICS)[number];

/** Topics on which we tell events of orders. */
export const OUTGOING_TOPICS = ['shipments', 'invoices', 'deliveries', 'order-status'] as const;
export type OutgoingTopic = (typeof OUTGOING_TOPICS)[number];

/** A topic by what it is for; its name on the cluster is that name behind the deployment's prefix. */
export type TopicKind = InputTopic | OutgoingTopic | 'orders.dlq';

export type Compatibility = 'BACKWARD_TRANSITIVE' | 'FULL_TRANSITIVE';

/** What a topic should be like. `oms setup` creates it so and reports where it differs. */
export interface TopicDefinition {
  kind: TopicKind;
  /** `in`: we read what others write. `out`: we write, and promise compatibility both ways. */
  direction: 'in' | 'out';
  partitions: number;
  /** Topic settings as Kafka names them. */
  config: Readonly<Record<string, string>>;
  /** The one record the topic carries; undefined for dead letters, which keep their original bytes. */
  schema: AvroSchema | undefined;
  compatibility: Compatibility | undefined;
}

const DAY_MS = 24 * 60 * 60 * 1_000;
const FOR_EVER = '-1';
const days = (n: number): string => String(n * DAY_MS);
const DEFAULT_PARTITIONS = 12;

/** `max.message.bytes` of a topic that does not set it. */
export const KAFKA_DEFAULT_BATCH_BYTES = 1_048_588;
/** Room for an order of 5,000 lines. */
const EVENT_BYTES = 2 * 1_024 * 1_024;
/** A dead letter is the original record, as large as its topic allowed, plus the headers that give the reason. */
const DEAD_LETTER_BYTES = EVENT_BYTES + 256 * 1_024;

const kept = (retention: string, maxBytes = EVENT_BYTES): Record<string, string> => ({
  'cleanup.policy': 'delete',
  'retention.ms': retention,
  'max.message.bytes': String(maxBytes),
});
const compacted = { 'cleanup.policy': 'compact', 'max.message.bytes': String(EVENT_BYTES) };

const incoming = (kind: TopicKind, schema: AvroSchema, retention: string): TopicDefinition => ({
  kind,
  direction: 'in',
  partitions: DEFAULT_PARTITIONS,
  config: kept(retention),
  schema,
  compatibility: 'BACKWARD_TRANSITIVE',
});

const outgoing = (kind: TopicKind, schema: AvroSchema, config: Record<string, string>): TopicDefinition => ({
  kind,
  direction: 'out',
  partitions: DEFAULT_PARTITIONS,
  config,
  schema,
  compatibility: 'FULL_TRANSITIVE',
});

/** Every topic of the OMS. */
export const TOPICS: readonly TopicDefinition[] = [
  incoming('orders', orderEventSchema, FOR_EVER),
  incoming('carrier-updates', carrierUpdateSchema, days(30)),
  incoming('stock-levels', stockLevelSchema, days(30)),
  outgoing('shipments', shipmentEventSchema, kept(days(30))),
  outgoing('invoices', invoiceEventSchema, kept(days(30))),
  outgoing('deliveries', deliveryEventSchema, kept(days(30))),
  outgoing('order-status', orderStatusSchema, compacted),
  {
    kind: 'orders.dlq',
    direction: 'out',
    partitions: DEFAULT_PARTITIONS,
    config: kept(days(90), DEAD_LETTER_BYTES),
    schema: undefined,
    compatibility: undefined,
  },
];

export type TopicNames = Readonly<Record<TopicKind, string>>;

/** The topics' names on the cluster; the prefix is put before each as it is. */
export function topicNames(prefix: string): TopicNames {
  return Object.fromEntries(TOPICS.map(({ kind }) => [kind, prefix + kind])) as Record<TopicKind, string>;
}

/** The registry subject of a topic's values: one record type a topic, so it is named by the topic. */
export function subjectOf(topic: string): string {
  return `${topic}-value`;
}

const DEPLOYMENT_TOPIC = 'oms-deployment';

/** The topic that carries the deployment's id; one record. */
export const deploymentTopic = (prefix: string): string => prefix + DEPLOYMENT_TOPIC;

/** The consumer groups that commit offsets for good; a group of another name would read everything again. */
export const CONSUMER_GROUPS = { ingest: 'ingest', carrier: 'carrier', stock: 'stock' } as const;

/** The consumer groups' names: `ingest`, `carrier`, a replay's own. */
export function groupName(prefix: string, role: string): string {
  return `${prefix}oms-${role}`;
}

/** The largest record batch a topic takes, in bytes; Kafka's default where the definition says nothing. */
export function maxMessageBytes(definition: TopicDefinition): number {
  return Number(definition.config['max.message.bytes'] ?? KAFKA_DEFAULT_BATCH_BYTES);
}

/** What the codec needs of each topic that carries Avro. */
export function topicSchemas(prefix: string): { topic: string; schema: AvroSchema }[] {
  return TOPICS.flatMap(({ kind, schema }) => (schema ? [{ topic: prefix + kind, schema }] : []));
}

/** `maxBatchBytes` for the publisher: the limit of each topic of the deployment. */
export function batchLimits(prefix: string): (topic: string) => number {
  const limits = new Map(TOPICS.map((definition) => [prefix + definition.kind, maxMessageBytes(definition)]));
  return (topic) => limits.get(topic) ?? KAFKA_DEFAULT_BATCH_BYTES;
}
