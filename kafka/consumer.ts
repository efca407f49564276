import kafkajs from 'kafkajs';
import type { EachBatchPayload } from 'kafkajs';
import { createBatchWork } from './batch-work.ts';
import { createKafka } from './client.ts';
import { join, makeConsumer, startError, stopConsumer } from './consumer-client.ts';
import { createGate } from './gate.ts';
import { createOffsetWatch } from './offset-watch.ts';
import { createStatus } from './consumer-status.ts';
import type { ConsumerHealth, ConsumerLoopOptions } from './consumer-types.ts';

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
  const offsets = createOffsetWatch({ admin, groupId: options.groupId, logger, onAlert: options.onAlert ?? noop });
  const status = createStatus({ ...options, logger });
  const stopping = new AbortController();
  const abandoned = new AbortController();
  const signals = { stopping: stopping.signal, abandoned: abandoned.signal };
  const work = createBatchWork({
    ...options,
    ...signals,
    logger,
    offsets,
    pauses: status.pauses,
    progress: status.progress,
  });

  const checkOffsets = (assignment: Parameters<typeof offsets.check>[0]): Promise<void> =>
    offsets.check(assignment).catch((error: unknown) => logger.warn({ err: error }, 'offsets not compared'));
  const crash = (error: unknown): void => {
    if (stopping.signal.aborted || !status.crashed()) return;
    logger.fatal({ err: error }, 'consumer crashed');
    options.onCrash(error);
  };
  const eachBatch = async (payload: EachBatchPayload): Promise<void> => {
    const end = await work(payload);
    if (end.kind === 'rejoin') throw end.error;
    if (end.kind !== 'fault') return;
    crash(end.error);
    throw new kafkajs.KafkaJSNonRetriableError(end.error as Error);
  };

  const { GROUP_JOIN, REBALANCING, CRASH, FETCH } = consumer.events;
  consumer.on(FETCH, status.fetched);
  consumer.on(CRASH, ({ payload }) => crash(payload.error));
  consumer.on(REBALANCING, () => {
    status.rebalancing();
    options.hooks?.onRebalance?.();
  });
  consumer.on(GROUP_JOIN, ({ payload }) => {
    status.joined(payload.memberAssignment);
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
      status.stopping();
      await stopConsumer(consumer, graceMs, logger);
      await admin.disconnect().catch(noop);
      gate.shut();
      abandoned.abort();
      status.stopped();
    },
    health: status.health,
  };
}

function noop(): void {
  // Nobody asked to be told.
}
