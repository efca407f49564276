import type { Message } from 'kafkajs';
import { logEnds } from '../../kafka/admin/log-ends.ts';
import { createKafka } from '../../kafka/client/client.ts';
import { createCodec } from '../../kafka/codec/codec.ts';
import { createRegistry } from '../../kafka/codec/registry.ts';
import { groupName, topicSchemas } from '../../kafka/topics.ts';
import type { StockLevel } from '../../schemas/index.ts';
import type { IngestWorld } from './ingest-world.ts';
import { silent } from './order-world.ts';
import { testEnvironment } from './stack.ts';
import { waitFor } from './wait.ts';

/** The topic `stock-levels` of a world, as an upstream system sees it. */
export interface StockTopic {
  encode(level: StockLevel): Buffer;
  /** Puts levels, keyed as they should be, or records of any kind on partition 0, one after the other. */
  produce(...records: (StockLevel | Message)[]): Promise<void>;
  /** Waits until the group has committed everything. */
  untilTaken(): Promise<void>;
  committed(): Promise<number>;
  /** Lets the group begin anew; nobody may be in it. */
  rewind(): Promise<void>;
  close(): Promise<void>;
}

/** A level of 10 pieces, first version, without a price, unless told. */
export function stockLevel(sku: string, more: Partial<StockLevel> = {}): StockLevel {
  const version = more.version ?? 1;
  const counted = { onHand: 10, version, occurredAt: Date.UTC(2026, 0, 1) + version };
  return { sku, warehouse: 'east', ...counted, unitPrice: null, currency: null, ...more };
}

export async function openStockTopic(world: IngestWorld): Promise<StockTopic> {
  const { KAFKA_BROKERS, SCHEMA_REGISTRY_URL: url } = testEnvironment();
  const prefix = world.environment.OMS_PREFIX ?? '';
  const topic = world.topics['stock-levels'];
  const groupId = groupName(prefix, 'stock');
  const codec = createCodec({ registry: createRegistry({ url }), schemas: topicSchemas(prefix) });
  await codec.load([topic]);
  const kafka = createKafka({ brokers: KAFKA_BROKERS.split(','), clientId: 'test', logger: silent, retries: 10 });
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const encode = (level: StockLevel): Buffer => codec.encode(topic, level);
  const committed = async (): Promise<number> => {
    const [found] = await world.admin.fetchOffsets({ groupId, topics: [topic] });
    return Number(found?.partitions[0]?.offset ?? -1);
  };
  return {
    encode,
    produce: async (...records) => {
      const messages = records.map((record) =>
        'onHand' in record ? { key: record.sku, value: encode(record), partition: 0 } : { partition: 0, ...record },
      );
      await producer.send({ topic, messages });
    },
    untilTaken: async () => {
      const [end] = await logEnds(world.admin, topic);
      await waitFor('all levels to be committed', async () => (await committed()) === Number(end?.high));
    },
    committed,
    rewind: () => world.admin.resetOffsets({ groupId, topic, earliest: true }),
    close: () => producer.disconnect(),
  };
}
