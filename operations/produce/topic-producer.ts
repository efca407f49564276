import type { OmsError } from '../../domain/errors.ts';
import { requireTopics as assertTopics } from '../../kafka/admin/topics-there.ts';
import type { OutgoingRecord, Publisher } from '../../kafka/producer/publisher.ts';
import { topicNames } from '../../kafka/topics.ts';
import type { TopicKind } from '../../kafka/topics.ts';
import { kafkaError } from '../../resources/errors.ts';
import type { Resources } from '../../resources/resources.ts';
import type { OrderEvent } from '../../schemas/index.ts';

/** Where a value went. */
export interface Position {
  topic: string;
  partition: number;
  offset: string;
}

/** Puts values on one of our incoming topics, as the systems that write it do. */
export interface TopicProducer<V> {
  /**
   * Resolves when each value is acknowledged or can never be sent.
   * @throws OmsError OMS_KAFKA_UNAVAILABLE when the cluster is away, OMS_KAFKA_NOT_AUTHORIZED when the login may not write;
   *   what was acknowledged stays
   */
  produce(
    values: readonly V[],
  ): Promise<{ produced: { value: V; position: Position }[]; refused: { value: V; error: OmsError }[] }>;
  close(): Promise<void>;
}

/** How often records that were held back for now are sent again before the command gives up. */
const ROUNDS = 3;

/**
 * @param keyOf the record's key: it decides which partition the value goes to
 * @throws OmsError OMS_KAFKA_UNAVAILABLE, OMS_KAFKA_TOPIC_MISSING, OMS_KAFKA_NOT_AUTHORIZED, OMS_REGISTRY_UNAVAILABLE, OMS_REGISTRY_SCHEMA_MISSING
 */
export async function openTopicProducer<V>(
  resources: Resources,
  kind: TopicKind,
  keyOf: (value: V) => string,
): Promise<TopicProducer<V>> {
  const topic = topicNames(resources.config.OMS_PREFIX)[kind];
  await requireTopics(resources, [topic]);
  const codec = await resources.codec();
  await codec.load([topic]);
  const publisher = await resources.openPublisher();
  const recordOf = (from: V) => ({ topic, key: keyOf(from), value: codec.encode(topic, from), from });
  return {
    produce: (values) => publishAll(publisher, values.map(recordOf)),
    close: () => publisher.close(),
  };
}

async function publishAll<V>(
  publisher: Publisher,
  records: readonly (OutgoingRecord & { from: V })[],
): ReturnType<TopicProducer<V>['produce']> {
  const produced: { value: V; position: Position }[] = [];
  const refused: { value: V; error: OmsError }[] = [];
  let waiting = records;
  for (let round = 1; waiting.length > 0; round++) {
    const { sent, held } = await publisher.publish(waiting);
    for (const { record, partition, offset } of sent) {
      produced.push({ value: record.from, position: { topic: record.topic, partition, offset: String(offset) } });
    }
    const retryable = held.filter(({ error }) => error.retryable);
    const never = held.filter(({ error }) => !error.retryable);
    refused.push(...never.map(({ record, error }) => ({ value: record.from, error })));
    const refusal = retryable.find(({ error }) => error.code === 'OMS_KAFKA_NOT_AUTHORIZED' || round === ROUNDS);
    if (refusal) throw refusal.error;
    waiting = retryable.map(({ record }) => record);
  }
  return { produced, refused };
}

/**
 * The publisher would wait for a cluster that is away; a command says so instead.
 * @throws OmsError OMS_KAFKA_UNAVAILABLE, OMS_KAFKA_TOPIC_MISSING, OMS_KAFKA_NOT_AUTHORIZED
 */
export async function requireTopics(resources: Resources, topics: readonly string[]): Promise<void> {
  await assertTopics(resources.kafkaConnection(), topics, 'Write').catch((error: unknown) => {
    throw kafkaError(resources.config, error);
  });
}

/** Where an event went. */
interface Produced {
  eventId: string;
  orderId: string;
  topic: string;
  partition: number;
  offset: string;
}

interface NotProduced {
  eventId: string;
  orderId: string;
  error: OmsError;
}

/** Puts order events on `orders` as an upstream system does: key = order id, so one order stays on one partition. */
export interface OrderProducer {
  /**
   * Resolves when each event is acknowledged or can never be sent.
   * @throws OmsError OMS_KAFKA_UNAVAILABLE when the cluster is away; what was acknowledged stays
   */
  produce(events: readonly OrderEvent[]): Promise<{ produced: Produced[]; refused: NotProduced[] }>;
  close(): Promise<void>;
}

/**
 * @throws OmsError OMS_KAFKA_UNAVAILABLE, OMS_KAFKA_TOPIC_MISSING, OMS_REGISTRY_UNAVAILABLE, OMS_REGISTRY_SCHEMA_MISSING
 */
export async function openOrderProducer(resources: Resources): Promise<OrderProducer> {
  const producer = await openTopicProducer<OrderEvent>(resources, 'orders', ({ orderId }) => orderId);
  return {
    produce: async (events) => {
      const { produced, refused } = await producer.produce(events);
      return {
        produced: produced.map(({ value, position }) => ({ ...idsOf(value), ...position })),
        refused: refused.map(({ value, error }) => ({ ...idsOf(value), error })),
      };
    },
    close: () => producer.close(),
  };
}

const idsOf = ({ eventId, orderId }: OrderEvent) => ({ eventId, orderId });
