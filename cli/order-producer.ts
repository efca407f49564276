import { OmsError } from '../domain/errors.ts';
import { createKafka } from '../kafka/client.ts';
import { createCodec } from '../kafka/codec.ts';
import { createPublisher } from '../kafka/publisher.ts';
import type { OutgoingRecord } from '../kafka/publisher.ts';
import { createRegistry } from '../kafka/registry.ts';
import { batchLimits, topicNames, topicSchemas } from '../kafka/topics.ts';
import type { Config } from '../platform/config/settings.ts';
import type { OrderEvent } from '../schemas/index.ts';
import { commandKafka, kafkaError } from './clients.ts';

/** Where an event went. */
export interface Produced {
  eventId: string;
  orderId: string;
  topic: string;
  partition: number;
  offset: string;
}

export interface NotProduced {
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

type OrderRecord = OutgoingRecord & { event: OrderEvent };

/** How often records that were held back for now are sent again before the command gives up. */
const ROUNDS = 3;

/**
 * @throws OmsError OMS_KAFKA_UNAVAILABLE, OMS_KAFKA_TOPIC_MISSING, OMS_REGISTRY_UNAVAILABLE, OMS_REGISTRY_SCHEMA_MISSING
 */
export async function openOrderProducer(config: Config): Promise<OrderProducer> {
  const topic = topicNames(config.OMS_PREFIX).orders;
  await requireTopic(config, topic);
  const registry = createRegistry({ url: config.SCHEMA_REGISTRY_URL });
  const codec = createCodec({
    registry,
    schemas: topicSchemas(config.OMS_PREFIX).filter((one) => one.topic === topic),
  });
  await codec.load();
  const publisher = createPublisher({
    connection: commandKafka(config),
    maxBatchBytes: batchLimits(config.OMS_PREFIX),
  });
  const recordOf = (event: OrderEvent): OrderRecord => ({
    topic,
    key: event.orderId,
    value: codec.encode(topic, event),
    event,
  });
  return {
    produce: (events) => publishAll(publisher, events.map(recordOf)),
    close: () => publisher.close(),
  };
}

async function publishAll(
  publisher: ReturnType<typeof createPublisher>,
  records: readonly OrderRecord[],
): Promise<{ produced: Produced[]; refused: NotProduced[] }> {
  const produced: Produced[] = [];
  const refused: NotProduced[] = [];
  let waiting: readonly OrderRecord[] = records;
  for (let round = 1; waiting.length > 0; round++) {
    const { sent, held } = await publisher.publish(waiting);
    for (const { record, partition, offset } of sent) {
      const { eventId, orderId } = record.event;
      produced.push({ eventId, orderId, topic: record.topic, partition, offset: String(offset) });
    }
    const retryable = held.filter(({ error }) => error.retryable);
    const never = held.filter(({ error }) => !error.retryable);
    refused.push(
      ...never.map(({ record: { event }, error }) => ({ eventId: event.eventId, orderId: event.orderId, error })),
    );
    if (retryable[0] && round === ROUNDS) throw retryable[0].error;
    waiting = retryable.map(({ record }) => record);
  }
  return { produced, refused };
}

/** The publisher would wait for a cluster that is away; a command says so instead. */
async function requireTopic(config: Config, topic: string): Promise<void> {
  const admin = createKafka(commandKafka(config)).admin();
  try {
    await admin.connect();
    if ((await admin.listTopics()).includes(topic)) return;
  } catch (error) {
    throw kafkaError(config, error);
  } finally {
    await admin.disconnect();
  }
  throw new OmsError('OMS_KAFKA_TOPIC_MISSING', `there is no topic ${topic}: run \`./oms setup\``);
}
