import type { Client } from '@temporalio/client';
import pLimit from 'p-limit';
import type { Database } from '../../database/database.ts';
import { ORDERS_TASK_QUEUE } from '../../domain/contract.ts';
import type { KafkaConnection } from '../../kafka/client/client.ts';
import type { Codec } from '../../kafka/codec/codec.ts';
import { createConsumerLoop } from '../../kafka/consumer/consumer.ts';
import type { ConsumerLoop } from '../../kafka/consumer/consumer.ts';
import type { Publisher } from '../../kafka/producer/publisher.ts';
import { CONSUMER_GROUPS, groupName, topicNames } from '../../kafka/topics.ts';
import { createAdmission } from '../../orders/intake/admission.ts';
import type { OnStep } from '../../orders/intake/step.ts';
import { createDeadLetterOffice } from '../../outbox/dead-letters.ts';
import type { Config } from '../../platform/config/settings.ts';
import type { Logger } from '../../platform/logger.ts';
import type { Registry } from '../../platform/metrics.ts';
import { createOrderWorkflows, timersOf } from '../../temporal/order-workflows.ts';
import type { Memory } from '../../temporal/retention.ts';
import { createIngestMetrics } from '../metrics.ts';
import type { IngestMetrics } from '../metrics.ts';
import { createChunkHandler } from './handler.ts';
import { createSweeper } from './sweeper.ts';
import type { Sweep } from './sweeper.ts';

export interface EngineOptions {
  config: Config;
  db: Database;
  codec: Codec;
  publisher: Pick<Publisher, 'publish'>;
  client: Client;
  connection: KafkaConnection;
  logger: Logger;
  metrics: Registry;
  memory: Memory;
  onStep: OnStep;
  /** After so long without a sign of life the group goes on without this process. */
  sessionTimeoutMs: number;
  onCrash: (error: unknown) => void;
}

/** Ingest with everything it needs, not yet running. */
export interface Engine {
  loop: ConsumerLoop;
  /** One round of the sweeper. */
  sweep: (signal: AbortSignal) => Promise<Sweep>;
  metrics: IngestMetrics;
}

/** Records judged together: two queries for all of them. */
const CHUNK_RECORDS = 1_000;
/** Enough for one partition to be at the database while others are at Temporal. */
const CONCURRENT_PARTITIONS = 4;
/** Rounds of starts between two confirms: few enough to be quick, enough to keep all slots busy. */
const ROUNDS_PER_CONFIRM = 5;

export function createEngine(options: EngineOptions): Engine {
  const { config, db, codec, publisher, logger, onStep } = options;
  const topics = topicNames(config.OMS_PREFIX);
  const groupId = groupName(config.OMS_PREFIX, CONSUMER_GROUPS.ingest);
  const metrics = createIngestMetrics(options.metrics);
  const admission = createAdmission({ db, limit: config.OMS_INGEST_OPEN_ORDERS_LIMIT, logger });
  const shared = {
    db,
    workflows: createOrderWorkflows({
      client: options.client,
      taskQueue: `${config.OMS_PREFIX}${ORDERS_TASK_QUEUE}`,
      timersOf: timersOf(config),
    }),
    limiter: pLimit(config.OMS_INGEST_MAX_IN_FLIGHT),
    office: createDeadLetterOffice({ db, publisher, topic: topics['orders.dlq'], consumerGroup: groupId, onStep }),
    metrics,
    onStep,
  };
  const loop = createConsumerLoop({
    connection: options.connection,
    groupId,
    topics: [topics.orders],
    handle: createChunkHandler({
      ...shared,
      codec,
      memory: options.memory,
      parkingDeadlineMs: config.OMS_PARKING_DEADLINE,
      onStarted: (orders) => admission.opened(orders),
      lanesPerConfirm: ROUNDS_PER_CONFIRM * config.OMS_INGEST_MAX_IN_FLIGHT,
    }),
    onCrash: options.onCrash,
    onAlert: ({ kind }) => metrics.offsetAlert(kind),
    admit: () => admission.reason(),
    hooks: { onRebalance: () => metrics.rebalance() },
    sessionTimeoutMs: options.sessionTimeoutMs,
    chunkRecords: CHUNK_RECORDS,
    concurrentPartitions: CONCURRENT_PARTITIONS,
  });
  return { loop, sweep: createSweeper(shared), metrics };
}
