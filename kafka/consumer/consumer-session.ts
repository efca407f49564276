import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer, EachBatchHandler } from 'kafkajs';
import type { Logger } from '../../platform/logger.ts';
import { createKafka, retryOptions } from '../client/client.ts';
import { createGate } from '../client/gate.ts';
import { SESSION_TIMEOUT_MS } from './consumer-status.ts';
import type { ConsumerLoopOptions } from './consumer-status.ts';
import { heartbeatInterval } from './heartbeat.ts';

/** One kafkajs consumer, from its first connection to its end. */
export interface ConsumerSession {
  /** Connects, waiting for the cluster, and joins. A fault after that is told by `onCrash`. */
  start(): Promise<void>;
  /** Ends fetching, waits for the handlers in flight, leaves the group; false when that took too long. */
  stop(graceMs: number): Promise<boolean>;
  /** Cuts its connections and ends its retries. */
  abandon(): void;
}

export interface SessionEvents {
  onConnected(): Promise<void>;
  onFetch(): void;
  onJoin(assignment: Record<string, number[]>): void;
  onRebalance(): void;
  /** kafkajs has given the consumer up, or the group has; it does nothing more that counts. */
  onCrash(error: unknown): void;
  eachBatch: EachBatchHandler;
}

export function openSession(options: ConsumerLoopOptions, logger: Logger, events: SessionEvents): ConsumerSession {
  const gate = createGate(options.connection);
  const consumer = makeConsumer(options, gate.connection);
  const { GROUP_JOIN, REBALANCING, CRASH, FETCH } = consumer.events;
  const whileOpen = (tell: () => void): void => void (gate.isOpen() && tell());
  consumer.on(FETCH, () => whileOpen(() => events.onFetch()));
  consumer.on(REBALANCING, () => whileOpen(() => events.onRebalance()));
  consumer.on(GROUP_JOIN, ({ payload }) => whileOpen(() => events.onJoin(payload.memberAssignment)));
  consumer.on(CRASH, ({ payload }) => whileOpen(() => events.onCrash(payload.error)));
  let inHand = 0;
  const endWatch = watchMembership(consumer, {
    sessionTimeoutMs: options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS,
    isBusy: () => inHand > 0,
    onLost: (error) => whileOpen(() => events.onCrash(error)),
  });
  return {
    start: async () => {
      await consumer.connect();
      await events.onConnected();
      await consumer.subscribe({ topics: [...options.topics], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: options.concurrentPartitions ?? 1,
        eachBatch: (payload) => {
          inHand++;
          return events.eachBatch(payload).finally(() => inHand--);
        },
      });
    },
    stop: async (graceMs) => {
      endWatch();
      const left = consumer
        .disconnect()
        .catch((error: unknown) => logger.warn({ err: error }, 'consumer left uncleanly'));
      const inTime = await within(graceMs, left);
      gate.shut();
      return inTime;
    },
    abandon: () => {
      endWatch();
      gate.shut();
    },
  };
}

function makeConsumer(options: ConsumerLoopOptions, connection: ConsumerLoopOptions['connection']): Consumer {
  return createKafka(connection).consumer({
    groupId: options.groupId,
    allowAutoTopicCreation: false,
    sessionTimeout: options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS,
    rebalanceTimeout: options.rebalanceTimeoutMs ?? 30_000,
    heartbeatInterval: heartbeatInterval(options),
    maxBytesPerPartition: options.maxBytesPerPartition ?? 512 * 1_024,
    maxWaitTimeInMs: 500,
    // kafkajs counts failed fetches over the consumer's whole life and crashes at the limit, hence none. After a crash
    // it would start the same consumer again behind our back: refused, the loop opens a new session instead.
    retry: { ...retryOptions(), restartOnFailure: () => Promise.resolve(false) },
  });
}

/** Whether the work ended in time. */
async function within(ms: number, work: Promise<void>): Promise<boolean> {
  const over = new AbortController();
  const late = sleep(ms, false, { signal: over.signal }).catch(() => false);
  const inTime = await Promise.race([work.then(() => true), late]);
  over.abort();
  return inTime;
}

const LOOK_EVERY_MS = 1_000;
/** kafkajs also joins without a word, and waits there until the group has given up who is gone: a session. */
const SESSIONS = 2;

interface MembershipOptions {
  /** A group gives the partitions of a member away that it has not heard of for so long, ms. */
  sessionTimeoutMs: number;
  /** Whether a batch is in hand; whoever has it keeps the place in the group, or gives it up. */
  isBusy: () => boolean;
  /** Called once. */
  onLost: (error: Error) => void;
}

/**
 * Tells when a consumer is no member of its group any more. kafkajs asks the broker at which it joined for as long as it
 * lives: when that one is lost the group gets another coordinator, and the consumer fetches on beside it, unheard.
 * Returns how to end the watch.
 */
function watchMembership(consumer: Consumer, options: MembershipOptions): () => void {
  const { GROUP_JOIN, HEARTBEAT, COMMIT_OFFSETS, REBALANCING } = consumer.events;
  let heardAt: number | undefined;
  const heard = (): void => void (heardAt = performance.now());
  for (const event of [GROUP_JOIN, HEARTBEAT, COMMIT_OFFSETS] as const) consumer.on(event, heard);
  // Until it has joined again there is nobody to be heard of.
  consumer.on(REBALANCING, () => void (heardAt = undefined));
  const timer = setInterval(() => {
    if (options.isBusy() && heardAt !== undefined) heard();
    if (heardAt === undefined || performance.now() - heardAt < SESSIONS * options.sessionTimeoutMs) return;
    clearInterval(timer);
    options.onLost(
      new Error(`the group has not heard of this consumer for ${(SESSIONS * options.sessionTimeoutMs) / 1_000} s`),
    );
  }, LOOK_EVERY_MS);
  // A consumer that nobody ended is no reason to stay.
  timer.unref();
  return () => clearInterval(timer);
}
