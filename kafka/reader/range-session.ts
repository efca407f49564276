import kafkajs from 'kafkajs';
import type { Admin, Consumer } from 'kafkajs';
import { createKafka, retryOptions } from '../client/client.ts';
import type { KafkaConnection } from '../client/client.ts';
import { createGate } from '../client/gate.ts';
import { isPassing } from '../client/group-errors.ts';
import { isTopicMissing, topicMissing } from '../client/topic-missing.ts';
import { MAX_WAIT_MS, createQuietPartitions } from './quiet-partitions.ts';
import { HEARTBEAT_MS, takeBatch } from './range-batches.ts';
import { checkIdle } from './range-ends.ts';
import { advance, endIfRead } from './range-state.ts';
import type { Session, SessionEnd } from './range-state.ts';
import type { Range, RangeReaderOptions } from './range-types.ts';

const IDLE_CHECK_MS = 1_000;

/** One kafkajs consumer, until all of `open` is read or it was given up. `open` says how far it came. @throws as readRanges */
export async function readSession(
  options: RangeReaderOptions,
  open: Map<number, Range>,
  admin: Admin,
): Promise<SessionEnd> {
  const gate = createGate(options.connection);
  const { promise: ended, resolve, reject } = Promise.withResolvers<SessionEnd>();
  // It may come to its end before anybody waits for that.
  ended.catch(() => undefined);
  const session = openSession(options, open, makeConsumer(options, gate.connection), { resolve, reject });
  listen(session);
  const timer = setInterval(
    oneAtATime(() => checkIdle(session, admin)),
    IDLE_CHECK_MS,
  );
  const onAbort = (): void => session.end('read');
  options.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([start(session), ended]);
    return await ended;
  } catch (error) {
    if (isTopicMissing(error)) throw topicMissing(options.topic, error);
    if (!(error instanceof kafkajs.KafkaJSError) || !isPassing(error)) throw error;
    options.onLost?.(error.message);
    return 'lost';
  } finally {
    session.isOver = true;
    clearInterval(timer);
    options.signal?.removeEventListener('abort', onAbort);
    await session.consumer.disconnect().catch(() => undefined);
    gate.shut();
  }
}

function openSession(
  options: RangeReaderOptions,
  open: Map<number, Range>,
  consumer: Consumer,
  { resolve, reject }: { resolve: (how: SessionEnd) => void; reject: (error: unknown) => void },
): Session {
  const session: Session = {
    ...{ options, open, consumer, quiet: createQuietPartitions(), inHand: 0, isOver: false },
    end: (how) => {
      session.isOver = true;
      resolve(how);
    },
    fail: (error) => {
      session.isOver = true;
      reject(error);
    },
  };
  return session;
}

function makeConsumer(options: RangeReaderOptions, connection: KafkaConnection): Consumer {
  return createKafka(connection).consumer({
    groupId: options.groupId,
    allowAutoTopicCreation: false,
    sessionTimeout: 30_000,
    rebalanceTimeout: 60_000,
    heartbeatInterval: HEARTBEAT_MS,
    maxBytesPerPartition: 256 * 1_024,
    maxWaitTimeInMs: MAX_WAIT_MS,
    retry: { ...retryOptions(connection.retries), restartOnFailure: () => Promise.resolve(false) },
  });
}

/** While one goes on no other is begun. What it throws is for the next to find. */
function oneAtATime(work: () => Promise<void>): () => void {
  let isBusy = false;
  return () => {
    if (isBusy) return;
    isBusy = true;
    void work()
      .catch(() => undefined)
      .finally(() => (isBusy = false));
  };
}

/** Where a partition that was just given to us is read from. */
function place({ consumer, open, options: { topic } }: Session, partition: number): void {
  const range = open.get(partition);
  if (range) consumer.seek({ topic, partition, offset: String(range.next) });
  else consumer.pause([{ topic, partitions: [partition] }]);
}

async function start(session: Session): Promise<void> {
  const { consumer, options } = session;
  await consumer.connect();
  await consumer.subscribe({ topics: [options.topic], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    partitionsConsumedConcurrently: options.concurrentPartitions ?? 4,
    eachBatch: (payload) => takeBatch(session, payload),
  });
}

function listen(session: Session): void {
  const { consumer, open, quiet, options } = session;
  const { GROUP_JOIN, CRASH, REQUEST, START_BATCH_PROCESS, END_BATCH_PROCESS } = consumer.events;
  // kafkajs tells of a new assignment before it fetches: the one moment at which a position can be set without a race.
  consumer.on(GROUP_JOIN, ({ payload }) => {
    for (const partition of payload.memberAssignment[options.topic] ?? []) place(session, partition);
  });
  // Not FETCH, whose time holds what a client that reads too fast has to wait, and what failed.
  consumer.on(REQUEST, ({ payload }) => {
    if (payload.apiName === 'Fetch') quiet.answered(payload, open.keys());
  });
  consumer.on(START_BATCH_PROCESS, ({ payload }) => quiet.heardOf(payload.partition));
  // Told also of batches in which nothing is for us: marks of transactions, aborted records.
  consumer.on(END_BATCH_PROCESS, ({ payload }) => {
    if (payload.batchSize === 0) advance(session, payload.partition, BigInt(payload.lastOffset) + 1n);
    endIfRead(session);
  });
  consumer.on(CRASH, ({ payload: { error } }) => {
    if (session.isOver) return;
    if (!isPassing(error)) return session.fail(error);
    options.onLost?.(error.message);
    session.end('lost');
  });
}
