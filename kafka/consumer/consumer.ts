import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs from 'kafkajs';
import type { EachBatchPayload } from 'kafkajs';
import { OmsError } from '../../domain/errors.ts';
import { createKafka } from '../client/client.ts';
import { isPassing, isTopicMissing } from '../client/errors.ts';
import { createGate } from '../client/gate.ts';
import { createBatchWork } from './batch-work.ts';
import { openSession } from './consumer-session.ts';
import type { ConsumerSession } from './consumer-session.ts';
import { createStatus } from './consumer-status.ts';
import type { ConsumerHealth, ConsumerLoopOptions } from './consumer-status.ts';
import { createOffsetWatch } from './offset-watch.ts';

export type { ConsumerHealth, ConsumerLoopOptions } from './consumer-status.ts';
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
  /**
   * Connects, waiting for the cluster, joins the group and begins.
   * @throws OmsError OMS_KAFKA_TOPIC_MISSING; whatever kafkajs refuses for good
   */
  start(): Promise<void>;
  /** Lets the chunks in flight end, commits exactly the finished prefix, leaves the group. At most `graceMs` (default 20 s). */
  stop(options?: { graceMs?: number }): Promise<void>;
  health(): ConsumerHealth;
}

export function createConsumerLoop(options: ConsumerLoopOptions): ConsumerLoop {
  const logger = options.connection.logger.child({ groupId: options.groupId });
  const gate = createGate({ ...options.connection, retries: 3 });
  const admin = createKafka(gate.connection).admin();
  const offsets = createOffsetWatch({ admin, groupId: options.groupId, logger, onAlert: options.onAlert ?? noop });
  const status = createStatus({ ...options, logger });
  const stopping = new AbortController();
  const abandoned = new AbortController();
  const signals = { stopping: stopping.signal, abandoned: abandoned.signal };
  const { pauses, progress } = status;
  const work = createBatchWork({ ...options, ...signals, logger, offsets, pauses, progress });
  let session: ConsumerSession | undefined;

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
  const events = {
    eachBatch,
    onConnected: () => checkOffsets(Object.fromEntries(options.topics.map((topic) => [topic, 'all']))),
    onFetch: () => status.fetched(),
    onJoin: (assignment: Record<string, number[]>) => {
      status.joined(assignment);
      offsets.forget();
      void checkOffsets(assignment);
    },
    onRebalance: () => {
      status.rebalancing();
      options.hooks?.onRebalance?.();
    },
    // What the cluster's coming and going has broken in kafkajs, a new consumer mends.
    onCrash: (error: unknown) => {
      if (stopping.signal.aborted || status.health().state === 'crashed') return;
      if (!isPassing(error)) return crash(error);
      logger.warn({ err: error }, 'consumer lost, connecting again');
      begin(RESTART_WAIT_MS).catch(crash);
    },
  };
  /** Opens sessions until one has connected. */
  const begin = async (waitMs: number): Promise<void> => {
    session?.abandon();
    status.connecting();
    await sleep(waitMs, undefined, { signal: stopping.signal });
    const fresh = (session = openSession(options, logger, events));
    try {
      await fresh.start();
    } catch (error) {
      if (stopping.signal.aborted) throw error;
      if (isTopicMissing(error)) throw missingTopic(options.topics, error);
      if (!isPassing(error)) throw error;
      logger.warn({ err: error }, 'consumer cannot start, trying again');
      await begin(Math.min(Math.max(waitMs * 2, RESTART_WAIT_MS), MAX_RESTART_WAIT_MS));
    }
  };

  return {
    start: async () => {
      try {
        await begin(0);
      } catch (error) {
        session?.abandon();
        throw error;
      }
    },
    stop: async ({ graceMs = 20_000 } = {}) => {
      stopping.abort(new Error('the consumer is stopping'));
      status.stopping();
      const inTime = (await session?.stop(graceMs)) ?? true;
      if (!inTime) logger.warn({ graceMs }, 'consumer did not drain in time');
      await admin.disconnect().catch(noop);
      gate.shut();
      abandoned.abort();
      status.stopped();
    },
    health: () => status.health(),
  };
}

const RESTART_WAIT_MS = 1_000;
const MAX_RESTART_WAIT_MS = 10_000;

function missingTopic(topics: readonly string[], cause: unknown): OmsError {
  const message = `not all of these topics exist: ${topics.join(', ')}; run \`oms setup\``;
  return new OmsError('OMS_KAFKA_TOPIC_MISSING', message, { cause });
}

function noop(): void {
  // Nobody asked to be told.
}
