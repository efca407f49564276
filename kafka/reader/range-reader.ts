import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs from 'kafkajs';
import type { Admin, Consumer, EachBatchPayload } from 'kafkajs';
import { createKafka, retryOptions } from '../client/client.ts';
import type { KafkaConnection } from '../client/client.ts';
import { isPassing, isTopicMissing, topicMissing } from '../client/errors.ts';
import { createGate } from '../client/gate.ts';
import { toConsumedRecord } from '../consumer/consumed-record.ts';
import { beating } from '../consumer/heartbeat.ts';
import { MAX_WAIT_MS, advance, checkIdle, createQuietPartitions, endIfRead } from './range-state.ts';
import type { Range, RangeReaderOptions, Session, SessionEnd } from './range-state.ts';

export type { Range, RangeReaderOptions } from './range-state.ts';

const RESTART_WAIT_MS = 1_000;

/**
 * Reads frozen ranges of one topic (several topics, or what is still to come: `readTopics`), each record at least once and in offset order per partition, beside whoever else reads
 * it. Where records of a range are gone, or were never readable (aborted, or marks of transactions), it ends all the same.
 * @throws OmsError OMS_KAFKA_TOPIC_MISSING, OMS_REPLAY_TOPIC_CHANGED; what `onRecords` throws; what kafkajs refuses for good
 */
export async function readRanges(options: RangeReaderOptions): Promise<void> {
  const open = new Map(options.ranges.filter(isOpen).map((range) => [range.partition, { ...range }]));
  const admin = createKafka(options.connection).admin();
  if (open.size === 0 || options.signal?.aborted) return;
  await admin.connect();
  try {
    while (!options.signal?.aborted && (await readSession(options, open, admin)) === 'lost') {
      await sleep(RESTART_WAIT_MS);
    }
  } finally {
    await admin.deleteGroups([options.groupId]).catch(() => undefined);
    await admin.disconnect();
  }
}

const isOpen = ({ next, end }: Range): boolean => next < end;

const IDLE_CHECK_MS = 1_000;

/** One kafkajs consumer, until all of `open` is read or it was given up. `open` says how far it came. @throws as readRanges */
async function readSession(options: RangeReaderOptions, open: Map<number, Range>, admin: Admin): Promise<SessionEnd> {
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

const HEARTBEAT_MS = 3_000;

/** Takes a batch of one partition; what its taking throws ends the session. */
async function takeBatch(session: Session, payload: EachBatchPayload): Promise<void> {
  session.inHand++;
  try {
    await handBatch(session, payload);
  } catch (error) {
    session.fail(error);
  } finally {
    session.inHand--;
    session.quiet.forgetAll();
  }
}

/** Hands a batch over, chunk by chunk, while the group is told that we are alive. */
async function handBatch(session: Session, payload: EachBatchPayload): Promise<void> {
  const { options, open } = session;
  const { topic, onRecords, chunkRecords = 1_000 } = options;
  const { partition, messages } = payload.batch;
  const range = open.get(partition);
  if (!range || payload.isStale()) return;
  const isOver = (): boolean => session.isOver || (options.signal?.aborted ?? false);
  const wanted = messages
    .map((message) => toConsumedRecord(topic, partition, message))
    .filter(({ offset }) => offset >= range.next && offset < range.end);
  const past = BigInt(payload.batch.lastOffset()) + 1n;
  // A beat that fails is the next fetch's concern: after a rebalance the reading goes on from where it stands.
  const end = beating(HEARTBEAT_MS, () => payload.heartbeat().catch(() => undefined));
  try {
    for (let at = 0; at < wanted.length && !isOver(); at += chunkRecords) {
      const chunk = wanted.slice(at, at + chunkRecords);
      const next = (chunk.at(-1)?.offset ?? range.next) + 1n;
      await onRecords(chunk, next);
      advance(session, partition, next);
    }
    if (isOver()) return;
    advance(session, partition, past);
    payload.resolveOffset(String(past - 1n));
  } finally {
    end();
  }
}
