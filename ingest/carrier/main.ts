import type { Database } from '../../database/database.ts';
import type { EventEncoder } from '../../database/outbox/outbox.ts';
import type { KafkaConnection } from '../../kafka/client/client.ts';
import type { Codec } from '../../kafka/codec/codec.ts';
import { createConsumerLoop } from '../../kafka/consumer/consumer.ts';
import type { ConsumerLoop } from '../../kafka/consumer/consumer.ts';
import type { Publisher } from '../../kafka/producer/publisher.ts';
import { CONSUMER_GROUPS, groupName, topicNames } from '../../kafka/topics.ts';
import { noStep } from '../../orders/intake/step.ts';
import { createDeadLetterOffice } from '../../outbox/dead-letters.ts';
import type { Config } from '../../platform/config/settings.ts';
import { every } from '../../platform/every.ts';
import type { Check } from '../../platform/health.ts';
import type { Logger } from '../../platform/logger.ts';
import type { Registry } from '../../platform/metrics.ts';
import type { CarrierPushes, RunningPushes } from '../../providers/carrier/port.ts';
import { kafkaFault, progressFault } from '../health.ts';
import { createDeadLetterCount } from '../metrics.ts';
import type { IngestMetrics } from '../metrics.ts';
import { createCarrierTopic } from './handler.ts';
import { createCarrierMetrics } from './metrics.ts';
import { retryParked } from './parking.ts';
import type { ParkingOptions } from './parking.ts';
import { createCarrierReceiver } from './receiver.ts';
import type { CarrierReceiverOptions } from './receiver.ts';

export interface CarrierNewsOptions {
  config: Config;
  /** The role's own. */
  db: Database;
  encoder: EventEncoder;
  temporal: CarrierReceiverOptions['temporal'];
  codec: Codec;
  publisher: Pick<Publisher, 'publish'>;
  connection: KafkaConnection;
  /** The carrier's news of its own accord. */
  pushes: CarrierPushes;
  logger: Logger;
  metrics: Registry;
  counters: Pick<IngestMetrics, 'offsetAlert' | 'rebalance'>;
  sessionTimeoutMs: number;
  onCrash: (error: unknown) => void;
}

export interface CarrierNewsWays {
  ready: Record<string, Check>;
  live: Record<string, Check>;
  /** Joins the topic's consumer group and begins. */
  start(): Promise<void>;
  /** Resolves when what was being taken in is done. */
  stop(options: { graceMs: number }): Promise<void>;
}

/** Few enough that a crash makes little work again. */
const CHUNK_RECORDS = 500;
const CONCURRENT_PARTITIONS = 4;

/**
 * The ways of carriers' news into the OMS, as the ingest role runs them: the topic `carrier-updates`, the carrier's
 * pushes, and what is parked. All of them lead through one receiver.
 */
export function createCarrierNews(options: CarrierNewsOptions): CarrierNewsWays {
  const { config, db, publisher } = options;
  const count = createCarrierMetrics(options.metrics, db);
  const topic = topicNames(config.OMS_PREFIX)['orders.dlq'];
  const consumerGroup = groupName(config.OMS_PREFIX, CONSUMER_GROUPS.carrier);
  const shared = { ...options, count, parkingDeadlineMs: config.OMS_PARKING_DEADLINE };
  const receiver = createCarrierReceiver(shared);
  const office = createDeadLetterOffice({ db, publisher, topic, consumerGroup, onStep: noStep });
  const onDeadLetters = createDeadLetterCount(options.metrics);
  const restMs = Math.min(config.OMS_SWEEP_INTERVAL, REST_MS);
  const loop = createTopicLoop(options, createCarrierTopic({ ...shared, receiver, office, onDeadLetters }));
  let running: { stop(): Promise<void> }[] = [];
  let pushes: RunningPushes | undefined;
  return {
    live: { carrierTopic: () => progressFault(loop.health()) },
    ready: {
      carrier: () => pushes?.check() ?? receiver.check(),
      carrierTopic: () => kafkaFault(loop.health()) ?? loop.health().pausedReason ?? null,
    },
    start: async () => {
      pushes = options.pushes.start(receiver.deliver);
      running = [pushes, startRetries({ ...shared, receiver, office, onDeadLetters, restMs }, config)];
      await loop.start();
    },
    stop: async ({ graceMs }) => {
      await loop.stop({ graceMs });
      await Promise.all(running.map((one) => one.stop()));
    },
  };
}

/** Between two tries of the same parked news, unless sweeps are more frequent. */
const REST_MS = 1_000;

function createTopicLoop(
  options: CarrierNewsOptions,
  handle: Parameters<typeof createConsumerLoop>[0]['handle'],
): ConsumerLoop {
  const { config, connection, counters, sessionTimeoutMs, onCrash } = options;
  return createConsumerLoop({
    ...{ connection, handle, sessionTimeoutMs, onCrash },
    groupId: groupName(config.OMS_PREFIX, CONSUMER_GROUPS.carrier),
    topics: [topicNames(config.OMS_PREFIX)['carrier-updates']],
    onAlert: ({ kind }) => counters.offsetAlert(kind),
    hooks: { onRebalance: () => counters.rebalance() },
    chunkRecords: CHUNK_RECORDS,
    concurrentPartitions: CONCURRENT_PARTITIONS,
  });
}

function startRetries(options: ParkingOptions, config: Config): { stop(): Promise<void> } {
  return every(config.OMS_SWEEP_INTERVAL, async (signal) => {
    try {
      await retryParked(options, signal);
    } catch (err) {
      if (!signal.aborted) options.logger.warn({ err }, 'parked carrier news not tried again, later');
    }
  });
}
