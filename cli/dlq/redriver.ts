import type { Database } from '../../database/database.ts';
import { createCodec } from '../../kafka/codec/codec.ts';
import type { Codec } from '../../kafka/codec/codec.ts';
import { createRegistry } from '../../kafka/codec/registry.ts';
import { createPublisher } from '../../kafka/producer/publisher.ts';
import type { Publisher } from '../../kafka/producer/publisher.ts';
import { batchLimits, topicSchemas } from '../../kafka/topics.ts';
import { requireTopics } from '../../operations/produce/topic-producer.ts';
import type { Config } from '../../platform/config/settings.ts';
import { commandKafka, withDatabase } from '../../resources/clients.ts';

/** What it takes to put records back on their topics. */
export interface Redriver {
  db: Database;
  publisher: Publisher;
  codec: Codec;
  prefix: string;
  /** @throws OmsError OMS_KAFKA_UNAVAILABLE, OMS_KAFKA_TOPIC_MISSING: before a decision is written down */
  assertTopics(topics: readonly string[]): Promise<void>;
}

/** Opens it for `work`, and closes it whatever comes of it. */
export async function withRedriver<T>(config: Config, work: (redriver: Redriver) => Promise<T>): Promise<T> {
  const prefix = config.OMS_PREFIX;
  const registry = createRegistry({ url: config.SCHEMA_REGISTRY_URL });
  const codec = createCodec({ registry, schemas: topicSchemas(prefix) });
  const publisher = createPublisher({ connection: commandKafka(config), maxBatchBytes: batchLimits(prefix) });
  const assertTopics = (topics: readonly string[]): Promise<void> => requireTopics(config, [...new Set(topics)]);
  try {
    return await withDatabase(config, (db) => work({ db, publisher, codec, prefix, assertTopics }));
  } finally {
    await publisher.close();
  }
}
