import type { Database } from '../../database/database.ts';
import type { Codec } from '../../kafka/codec/codec.ts';
import type { Publisher } from '../../kafka/producer/publisher.ts';
import { requireTopics } from '../../operations/produce/topic-producer.ts';
import type { Config } from '../../platform/config/settings.ts';
import { withCommandResources } from '../../resources/clients.ts';

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
export function withRedriver<T>(config: Config, work: (redriver: Redriver) => Promise<T>): Promise<T> {
  return withCommandResources(config, async (resources) => {
    const [db, codec, publisher] = [
      await resources.database(),
      await resources.codec(),
      await resources.openPublisher(),
    ];
    const assertTopics = (topics: readonly string[]): Promise<void> => requireTopics(resources, [...new Set(topics)]);
    try {
      return await work({ db, publisher, codec, prefix: config.OMS_PREFIX, assertTopics });
    } finally {
      await publisher.close();
    }
  });
}
