import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs from 'kafkajs';
import type { Admin, Consumer, EachBatchPayload } from 'kafkajs';
import { OmsError } from '../domain/errors.ts';
import { createKafka, retryOptions } from './client.ts';
import type { KafkaConnection } from './client.ts';
import { toConsumedRecord } from './consumed-record.ts';
import type { ConsumedRecord } from './consumed-record.ts';
import { createGate } from './gate.ts';
import { isPassing } from './group-errors.ts';

/** A range of offsets of one partition, and how far it was read before. */
export interface Range {
  partition: number;
  next: bigint;
  /** Excluded. */
  end: bigint;
}

export interface RangeReaderOptions {
  connection: KafkaConnection;
  /** Of this reading alone: nothing is ever committed, and it is deleted at the end. */
  groupId: string;
  topic: string;
  ranges: readonly Range[];
  /**
   * Takes consecutive records of a partition, and the offset that follows them. Calls for one partition come one after
   * the other; those of several go on side by side. A rejection ends the reading.
   */
  onRecords: (records: readonly ConsumedRecord[], next: bigint) => Promise<void>;
  /** Told when the cluster was lost, before it is tried again. */
  onLost?: (reason: string) => void;
  /** Ends the reading early, after the calls in flight. */
  signal?: AbortSignal;
  /** @default 1,000 */
  chunkRecords?: number;
  /** @default 4 */
  concurrentPartitions?: number;
}

const HEARTBEAT_MS = 3_000;
const IDLE_CHECK_MS = 1_000;
const RESTART_WAIT_MS = 1_000;
const MAX_WAIT_MS = 200;
/** A fetch that was answered sooner brought something, or failed. */
const QUIET_MS = 0.7 * MAX_WAIT_MS;
/** So many fetches in a row from a partition's leader that brought nothing of it: nothing is there. */
const QUIET_FETCHES = 3;

/**
 * Reads frozen ranges of a topic, each record at least once and in offset order per partition, beside whoever else reads
 * it. Where records of a range are gone, or were never readable (aborted, or marks of transactions), it ends all the same.
 * @throws OmsError OMS_REPLAY_TOPIC_CHANGED; what `onRecords` throws; what kafkajs refuses for good
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

/** One kafkajs consumer, until all is read or it was given up: `lost` to a fault of the cluster that a new one may not meet. */
async function readSession(
  options: RangeReaderOptions,
  open: Map<number, Range>,
  admin: Admin,
): Promise<'read' | 'lost'> {
  const gate = createGate(options.connection);
  const consumer = makeConsumer(options, gate.connection);
  const { promise: ended, resolve, reject } = Promise.withResolvers<'read' | 'lost'>();
  const state = { inHand: 0, over: false };
  let leaders = new Map<number, number>();
  const quiet = new Map<number, number>();
  const end = (how: 'read' | 'lost'): void => {
    state.over = true;
    resolve(how);
  };
  const finishIfRead = (): void => void (open.size === 0 && end('read'));
  /** A range that is read to its end is fetched no more. */
  const advance = (partition: number, next: bigint): void => {
    const range = open.get(partition);
    if (!range) return;
    if (next > range.next) range.next = next;
    if (isOpen(range)) return;
    open.delete(partition);
    consumer.pause([{ topic: options.topic, partitions: [partition] }]);
  };
  const { GROUP_JOIN, CRASH, FETCH, START_BATCH_PROCESS, END_BATCH_PROCESS } = consumer.events;
  // kafkajs tells of a new assignment before it fetches: the one moment at which a position can be set without a race.
  consumer.on(GROUP_JOIN, ({ payload }) => {
    for (const partition of payload.memberAssignment[options.topic] ?? []) {
      const range = open.get(partition);
      if (range) consumer.seek({ topic: options.topic, partition, offset: String(range.next) });
      else consumer.pause([{ topic: options.topic, partitions: [partition] }]);
    }
  });
  consumer.on(FETCH, ({ payload: { nodeId, duration } }) => {
    if (duration < QUIET_MS) return;
    for (const partition of open.keys()) {
      if (leaders.get(partition) === Number(nodeId)) quiet.set(partition, (quiet.get(partition) ?? 0) + 1);
    }
  });
  consumer.on(START_BATCH_PROCESS, ({ payload }) => void quiet.delete(payload.partition));
  // Told also of batches in which nothing is for us: marks of transactions, aborted records.
  consumer.on(END_BATCH_PROCESS, ({ payload }) => {
    if (payload.batchSize === 0) advance(payload.partition, BigInt(payload.lastOffset) + 1n);
    finishIfRead();
  });
  consumer.on(CRASH, ({ payload }) => {
    if (state.over) return;
    if (!isPassing(payload.error)) return reject(payload.error);
    options.onLost?.(payload.error.message);
    end('lost');
  });
  const eachBatch = async (payload: EachBatchPayload): Promise<void> => {
    state.inHand++;
    try {
      await handBatch(options, payload, open, advance, () => state.over || (options.signal?.aborted ?? false));
    } catch (error) {
      state.over = true;
      reject(error);
    } finally {
      state.inHand--;
      quiet.clear();
    }
  };
  const checkIdle = async (): Promise<void> => {
    if (state.over || state.inHand > 0) return;
    if (leaders.size > 0 && [...open.keys()].every((partition) => (quiet.get(partition) ?? 0) < QUIET_FETCHES)) return;
    const ends = await admin.fetchTopicOffsets(options.topic);
    for (const { partition, high } of ends) {
      const range = open.get(partition);
      if (range && BigInt(high) < range.end) return reject(changed(options.topic, range, high));
      // The log goes on to the end of the range, and has nothing to read up to there.
      if (range && (quiet.get(partition) ?? 0) >= QUIET_FETCHES) advance(partition, range.end);
    }
    leaders = await leadersOf(admin, options.topic);
    finishIfRead();
  };
  const timer = setInterval(() => void checkIdle().catch(() => undefined), IDLE_CHECK_MS);
  const onAbort = (): void => end('read');
  options.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [options.topic], fromBeginning: true });
    const concurrency = options.concurrentPartitions ?? 4;
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: concurrency,
      eachBatch,
    });
    return await ended;
  } catch (error) {
    if (isTopicMissing(error)) throw missing(options.topic, error);
    if (!isKafkaFault(error) || !isPassing(error)) throw error;
    options.onLost?.((error as Error).message);
    return 'lost';
  } finally {
    state.over = true;
    clearInterval(timer);
    options.signal?.removeEventListener('abort', onAbort);
    await consumer.disconnect().catch(() => undefined);
    gate.shut();
  }
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

/** Hands a batch over, chunk by chunk, while the group is told that we are alive. */
async function handBatch(
  { topic, onRecords, chunkRecords = 1_000 }: RangeReaderOptions,
  payload: EachBatchPayload,
  open: ReadonlyMap<number, Range>,
  advance: (partition: number, next: bigint) => void,
  isOver: () => boolean,
): Promise<void> {
  const { partition, messages } = payload.batch;
  const range = open.get(partition);
  if (!range || payload.isStale()) return;
  const wanted = messages
    .map((message) => toConsumedRecord(topic, partition, message))
    .filter(({ offset }) => offset >= range.next && offset < range.end);
  const past = BigInt(payload.batch.lastOffset()) + 1n;
  // A beat that fails is the next fetch's concern: after a rebalance the reading goes on from where it stands.
  const beat = setInterval(() => void payload.heartbeat().catch(() => undefined), HEARTBEAT_MS);
  try {
    for (let at = 0; at < wanted.length && !isOver(); at += chunkRecords) {
      const chunk = wanted.slice(at, at + chunkRecords);
      const next = (chunk.at(-1)?.offset ?? range.next) + 1n;
      await onRecords(chunk, next);
      advance(partition, next);
    }
    if (!isOver()) {
      advance(partition, past);
      payload.resolveOffset(String(past - 1n));
    }
  } finally {
    clearInterval(beat);
  }
}

async function leadersOf(admin: Admin, topic: string): Promise<Map<number, number>> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  return new Map(
    topics.flatMap(({ partitions }) => partitions.map(({ partitionId, leader }) => [partitionId, leader])),
  );
}

const isKafkaFault = (error: unknown): boolean => error instanceof kafkajs.KafkaJSError;

const isTopicMissing = (error: unknown): boolean =>
  (error as { type?: string } | undefined)?.type === 'UNKNOWN_TOPIC_OR_PARTITION';

function missing(topic: string, cause: unknown): OmsError {
  return new OmsError('OMS_KAFKA_TOPIC_MISSING', `topic ${topic} does not exist: run \`oms setup\``, { cause });
}

function changed(topic: string, { partition, end }: Range, high: string): OmsError {
  const message = `partition ${partition} of ${topic} ends at ${high}; it ended at ${end} or later when this was planned`;
  return new OmsError('OMS_REPLAY_TOPIC_CHANGED', message);
}
