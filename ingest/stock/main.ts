import type { Database } from '../../database/database.ts';
import type { KafkaConnection } from '../../kafka/client/client.ts';
import type { Codec } from '../../kafka/codec/codec.ts';
import { createConsumerLoop } from '../../kafka/consumer/consumer.ts';
import type { ConsumerLoop } from '../../kafka/consumer/consumer.ts';
import type { Publisher } from '../../kafka/producer/publisher.ts';
import { CONSUMER_GROUPS, groupName, topicNames } from '../../kafka/topics.ts';
import { noStep } from '../../orders/intake/step.ts';
import { createDeadLetterOffice } from '../../outbox/dead-letters.ts';
import type { Config } from '../../platform/config/settings.ts';
import type { Logger } from '../../platform/logger.ts';
import type { Registry } from '../../platform/metrics.ts';
import type { IngestMetrics } from '../metrics.ts';
import { createLevelHandler } from './handler.ts';
import { createStockMetrics } from './metrics.ts';

export interface StockLoopOptions {
  config: Config;
  db: Database;
  codec: Codec;
  publisher: Pick<Publisher, 'publish'>;
  connection: KafkaConnection;
  logger: Logger;
  metrics: Registry;
  counters: Pick<IngestMetrics, 'offsetAlert' | 'rebalance'>;
  /** After so long without a sign of life the group goes on without this process. */
  sessionTimeoutMs: number;
  onCrash: (error: unknown) => void;
}

/** Records taken in together: four statements for all of them. */
const CHUNK_RECORDS = 1_000;
const CONCURRENT_PARTITIONS = 2;

/** The consumer of the topic `stock-levels`, not yet running. It waits while the database is away, and goes on. */
export function createStockLoop(options: StockLoopOptions): ConsumerLoop {
  const { config, db, codec, publisher, logger } = options;
  const topics = topicNames(config.OMS_PREFIX);
  const groupId = groupName(config.OMS_PREFIX, CONSUMER_GROUPS.stock);
  const topic = topics['orders.dlq'];
  return createConsumerLoop({
    connection: options.connection,
    groupId,
    topics: [topics['stock-levels']],
    handle: createLevelHandler({
      ...{ db, codec, logger },
      office: createDeadLetterOffice({ db, publisher, topic, consumerGroup: groupId, onStep: noStep }),
      metrics: createStockMetrics(options.metrics, db),
    }),
    onCrash: options.onCrash,
    onAlert: ({ kind }) => options.counters.offsetAlert(kind),
    hooks: { onRebalance: () => options.counters.rebalance() },
    sessionTimeoutMs: options.sessionTimeoutMs,
    chunkRecords: CHUNK_RECORDS,
    concurrentPartitions: CONCURRENT_PARTITIONS,
  });
}
