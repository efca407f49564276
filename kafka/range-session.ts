import kafkajs from 'kafkajs';
import type { Admin, Consumer, EachBatchPayload } from 'kafkajs';
import { OmsError } from '../domain/errors.ts';
import { createKafka, retryOptions } from './client.ts';
import type { KafkaConnection } from './client.ts';
import { toConsumedRecord } from './consumed-record.ts';
import { createGate } from './gate.ts';
import { isPassing } from './group-errors.ts';
import { MAX_WAIT_MS, createQuietPartitions } from './quiet-partitions.ts';
import type { QuietPartitions } from './quiet-partitions.ts';
import type { Range, RangeReaderOptions } from './range-types.ts';
import { logEnds } from './log-ends.ts';
import { beating } from './heartbeat.ts';

const HEARTBEAT_MS = 3_000;
const IDLE_CHECK_MS = 1_000;

/** `lost`: to a fault of the cluster that a new session may not meet. */
export type SessionEnd = 'read' | 'lost';

/** What one kafkajs consumer and those who listen to it share. */
interface Session {
  options: RangeReaderOptions;
  /** What is not read to its end yet, by partition. */
  open: Map<number, Range>;
  consumer: Consumer;
  quiet: QuietPartitions;
  /** Calls of `onRecords` that go on. */
  inHand: number;
  isOver: boolean;
  end: (how: SessionEnd) => void;
  fail: (error: unknown) => void;
}

/** One kafkajs consumer, until all of `open` is read or it was given up. `open` says how far it came. @throws as readRanges */
export async function readSession(
  options: RangeReaderOptions,
  open: Map<number, Range>,
  admin: Admin,
): Promise<SessionEnd> {
  const gate = createGate(options.connection);
  const { promise: ended, resolve, reject } = Promise.withResolvers<SessionEnd>();
  const session = openSession(options, open, makeConsumer(options, gate.connection), { resolve, reject });
  listen(session);
  const timer = setInterval(() => void checkIdle(session, admin).catch(() => undefined), IDLE_CHECK_MS);
  const onAbort = (): void => session.end('read');
  options.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await start(session);
    return await ended;
  } catch (error) {
    if (isTopicMissing(error)) throw missing(options.topic, error);
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

/** Where a partition that was just given to us is read from. */
function place({ consumer, open, options: { topic } }: Session, partition: number): void {
  const range = open.get(partition);
  if (range) consumer.seek({ topic, partition, offset: String(range.next) });
  else consumer.pause([{ topic, partitions: [partition] }]);
}

/** A range that is read to its end is fetched no more. */
function advance({ consumer, open, options: { topic } }: Session, partition: number, next: bigint): void {
  const range = open.get(partition);
  if (!range) return;
  if (next > range.next) range.next = next;
  if (range.next < range.end) return;
  open.delete(partition);
  consumer.pause([{ topic, partitions: [partition] }]);
}

function endIfRead({ open, end }: Session): void {
  if (open.size === 0) end('read');
}

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

/** Finds the end of ranges whose last records are gone, or are none for us, and topics that were made anew. */
async function checkIdle(session: Session, admin: Admin): Promise<void> {
  const { open, quiet, options } = session;
  if (session.isOver || session.inHand > 0) return;
  if (quiet.knowsLeaders() && ![...open.keys()].some((partition) => quiet.isQuiet(partition))) return;
  const ends = await logEnds(admin, options.topic);
  for (const { partition, high } of ends) {
    const range = open.get(partition);
    if (range && BigInt(high) < range.end) return session.fail(changed(options.topic, range, high));
    // The log goes on to the end of the range, and has nothing to read up to there.
    if (range && quiet.isQuiet(partition)) advance(session, partition, range.end);
  }
  await quiet.learnLeaders(admin, options.topic);
  endIfRead(session);
}

const isTopicMissing = (error: unknown): boolean =>
  (error as { type?: string } | undefined)?.type === 'UNKNOWN_TOPIC_OR_PARTITION';

function missing(topic: string, cause: unknown): OmsError {
  return new OmsError('OMS_KAFKA_TOPIC_MISSING', `topic ${topic} does not exist: run \`oms setup\``, { cause });
}

function changed(topic: string, { partition, end }: Range, high: string): OmsError {
  const message = `partition ${partition} of ${topic} ends at ${high}; it ended at ${end} or later when this was planned`;
  return new OmsError('OMS_REPLAY_TOPIC_CHANGED', message);
}
