import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs from 'kafkajs';
import type { Consumer, EachBatchHandler, EachBatchPayload } from 'kafkajs';
import { OmsError } from '../domain/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { createBatchWork } from './batch-work.ts';
import { createKafka, retryOptions } from './client.ts';
import { createGate } from './gate.ts';
import { createOffsetWatch } from './offset-watch.ts';
import { createProgress } from './progress.ts';

import type { ConsumerHealth, ConsumerLoopOptions, Status } from './consumer-types.ts';

export type { ConsumerHealth, ConsumerHooks, ConsumerLoopOptions, ConsumerState } from './consumer-types.ts';
export type { Chunk, ConsumedRecord } from './consumed-record.ts';
export type { OffsetAlert } from './offset-watch.ts';

/**
 * The only way this system reads its topics. Offsets are committed by hand, after each chunk, and only up to the first
 * record that is not finished; heartbeats follow progress; the environment's faults pause it; a stop drains it.
 *
 * Promise: every record is handed to the handler at least once, in offset order per partition, and none is committed
 * before the handler has finished it and all before it.
 */
export interface ConsumerLoop {
  /** Connects, waiting for the cluster, joins the group and begins. */
  start(): Promise<void>;
  /** Lets the chunks in flight end, commits exactly the finished prefix, leaves the group. At most `graceMs` (default 20 s). */
  stop(options?: { graceMs?: number }): Promise<void>;
  health(): ConsumerHealth;
}

export function createConsumerLoop(options: ConsumerLoopOptions): ConsumerLoop {
  const logger = options.connection.logger.child({ groupId: options.groupId });
  const gate = createGate(options.connection);
  const consumer = makeConsumer(options, createKafka(gate.connection));
  const admin = createKafka({ ...gate.connection, retries: 3 }).admin();
  const progress = createProgress();
  const stopping = new AbortController();
  const abandoned = new AbortController();
  const status: Status = { state: 'connecting', pausedReason: undefined, lastFetchAt: undefined, partitions: 0 };
  const onAlert = options.onAlert ?? (() => undefined);
  const offsets = createOffsetWatch({ admin, groupId: options.groupId, logger, onAlert });

  const checkOffsets = (assignment: Parameters<typeof offsets.check>[0]): Promise<void> =>
    offsets.check(assignment).catch((error: unknown) => logger.warn({ err: error }, 'offsets not compared'));

  let crashed = false;
  const crash = (error: unknown): void => {
    if (crashed || stopping.signal.aborted) return;
    crashed = true;
    status.state = 'crashed';
    logger.fatal({ err: error }, 'consumer crashed');
    options.onCrash(error);
  };
  const work = createBatchWork({
    ...options,
    logger,
    progress,
    offsets,
    stopping: stopping.signal,
    abandoned: abandoned.signal,
    status,
  });
  const eachBatch = async (payload: EachBatchPayload): Promise<void> => {
    const end = await work(payload);
    if (end.kind === 'rejoin') throw end.error;
    if (end.kind !== 'fault') return;
    crash(end.error);
    throw new kafkajs.KafkaJSNonRetriableError(end.error as Error);
  };

  const { GROUP_JOIN, REBALANCING, CRASH, FETCH } = consumer.events;
  consumer.on(FETCH, () => void (status.lastFetchAt = Date.now()));
  consumer.on(CRASH, ({ payload }) => crash(payload.error));
  consumer.on(REBALANCING, () => {
    status.state = 'rebalancing';
    options.hooks?.onRebalance?.();
  });
  consumer.on(GROUP_JOIN, ({ payload }) => {
    status.state = 'running';
    status.partitions = Object.values(payload.memberAssignment).flat().length;
    progress.note();
    logger.info({ partitions: payload.memberAssignment }, 'consumer joined');
    offsets.forget();
    void checkOffsets(payload.memberAssignment);
  });

  return {
    start: async () => {
      try {
        await consumer.connect();
        await checkOffsets(Object.fromEntries(options.topics.map((topic) => [topic, 'all'])));
        await join(consumer, options, eachBatch);
      } catch (error) {
        gate.shut();
        throw startError(options.topics, error);
      }
    },
    stop: async ({ graceMs = 20_000 } = {}) => {
      stopping.abort(new Error('the consumer is stopping'));
      if (!crashed) status.state = 'stopping';
      if (!(await within(graceMs, leave(consumer, logger)))) logger.warn({ graceMs }, 'consumer did not drain in time');
      await admin.disconnect().catch(() => undefined);
      gate.shut();
      abandoned.abort();
      if (!crashed) status.state = 'stopped';
    },
    health: () => ({
      ...status,
      lastProgressAt: progress.lastAt(),
      inFlight: progress.inFlight(),
      oldestInFlightMs: progress.oldestMs(),
    }),
  };
}

function makeConsumer(options: ConsumerLoopOptions, kafka: ReturnType<typeof createKafka>): Consumer {
  return kafka.consumer({
    groupId: options.groupId,
    allowAutoTopicCreation: false,
    sessionTimeout: options.sessionTimeoutMs ?? 30_000,
    rebalanceTimeout: options.rebalanceTimeoutMs ?? 60_000,
    heartbeatInterval: options.heartbeatMs ?? 3_000,
    maxBytesPerPartition: options.maxBytesPerPartition ?? 512 * 1_024,
    maxWaitTimeInMs: 500,
    // kafkajs counts failed fetches over the consumer's whole life and crashes at the limit; a crash that would start
    // the consumer again behind our back is refused: the process ends, and its supervisor starts a clean one.
    retry: { ...retryOptions(), restartOnFailure: () => Promise.resolve(false) },
  });
}

async function join(consumer: Consumer, options: ConsumerLoopOptions, eachBatch: EachBatchHandler): Promise<void> {
  await consumer.subscribe({ topics: [...options.topics], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    partitionsConsumedConcurrently: options.concurrentPartitions ?? 1,
    eachBatch,
  });
}

function startError(topics: readonly string[], cause: unknown): unknown {
  if ((cause as { type?: string }).type !== 'UNKNOWN_TOPIC_OR_PARTITION') return cause;
  const names = topics.join(', ');
  return new OmsError('OMS_KAFKA_TOPIC_MISSING', `not all of these topics exist: ${names}; run \`oms setup\``, {
    cause,
  });
}

/** Ends fetching, waits for the handlers in flight, leaves the group. */
async function leave(consumer: Consumer, logger: Logger): Promise<void> {
  await consumer.disconnect().catch((error: unknown) => logger.warn({ err: error }, 'consumer left uncleanly'));
}

/** Whether the work ended in time. */
async function within(ms: number, work: Promise<void>): Promise<boolean> {
  const over = new AbortController();
  const late = sleep(ms, false, { signal: over.signal }).catch(() => false);
  const inTime = await Promise.race([work.then(() => true), late]);
  over.abort();
  return inTime;
}
