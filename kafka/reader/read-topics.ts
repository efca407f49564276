import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin, Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import { logEnds } from '../admin/log-ends.ts';
import { isPassing } from '../client/errors.ts';
import { toConsumedRecord } from '../consumer/consumed-record.ts';
import type { ConsumedRecord } from '../consumer/consumed-record.ts';

export interface ReadOptions<R = ConsumedRecord> {
  kafka: Kafka;
  admin: Admin;
  topics: readonly string[];
  /** A group of this reading alone, and what its further groups are called after; all are deleted at the end. */
  groupId: string;
  /** Else only what comes from now on. */
  fromBeginning: boolean;
  /** Go on past what is there now, until `signal`. */
  follow: boolean;
  signal?: AbortSignal;
  /** Batches of so many partitions are handed over at once. @default 1 */
  atOnce?: number;
  /** Called with each batch of one partition, in offset order. Resolves with false to end the reading. */
  onRecords: (records: readonly R[]) => Promise<boolean>;
}

/** A fetch becomes many times as many bytes of objects: half of what kafkajs asks for bounds the memory. */
const FETCH = { maxBytes: 1_024 * 1_024, maxBytesPerPartition: 256 * 1_024 };

const RESTART_WAIT_MS = 1_000;
const IDLE_CHECK_MS = 5_000;
/** A broker that is lost is replaced sooner; whoever waits for a command is told when it is more than that. */
const BACK_WITHIN_MS = 60_000;

/** What one reading has come to, over all of its consumers. */
interface Reading {
  options: ReadOptions;
  /** What is not read yet: one past the last record, by place. */
  ends: Map<string, bigint>;
  /** Where to go on, by place; the beginning where nothing is said. */
  next: Map<string, bigint>;
  /** Batches that are being handed over. */
  inHand: Set<Promise<void>>;
  isOver: boolean;
  /** When it last came forward. */
  heardAt: number;
}

/**
 * Reads topics in a throwaway group that commits nothing: looking at a topic takes nothing away from anybody. Several topics
 * by one consumer, all that is there or what comes; frozen ranges of one topic, whose progress is kept, are what `readRanges`
 * (range-reader.ts) reads.
 * Resolves at the end of what is there (`follow: false`), when `onRecords` says so, or when `signal` is aborted. Goes on
 * where it was when a broker is lost, each record is handed over once.
 * @throws OmsError OMS_KAFKA_TOPIC_MISSING; what kafkajs throws when the cluster stays away, or refuses for good
 */
export async function readTopics(options: ReadOptions): Promise<void> {
  const { ends, next } = await placesOf(options);
  if (!options.follow && ends.size === 0) return;
  const reading: Reading = { options, ends, next, inHand: new Set(), isOver: false, heardAt: performance.now() };
  for (let n = 1; !reading.isOver; n++) {
    try {
      await readOnce(reading, n === 1 ? options.groupId : `${options.groupId}-${n}`);
    } catch (error) {
      if (options.signal?.aborted) return;
      if (reading.isOver || !isPassing(error) || performance.now() - reading.heardAt > BACK_WITHIN_MS) throw error;
      await sleep(RESTART_WAIT_MS);
    }
  }
}

/** One kafkajs consumer, until all is read. @throws what it was given up for */
async function readOnce(reading: Reading, groupId: string): Promise<void> {
  const { options } = reading;
  const consumer = options.kafka.consumer({ groupId, maxWaitTimeInMs: 200, ...FETCH });
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  const end = (): void => {
    reading.isOver = true;
    resolve();
  };
  const fail = (error: unknown): void => {
    reading.isOver = true;
    reject(error);
  };
  ended.catch(() => undefined);
  options.signal?.addEventListener('abort', end, { once: true });
  if (options.signal?.aborted) end();
  const timer = setInterval(() => void dropDeleted(reading, end).catch(() => undefined), IDLE_CHECK_MS);
  let isOpen = true;
  listen(reading, consumer, { end, reject });
  const eachBatch = async (payload: EachBatchPayload): Promise<void> => {
    if (reading.isOver || !isOpen) return;
    const handing = handOver(reading, payload.batch)
      .then((goOn) => void (goOn || end()), fail)
      .finally(() => reading.inHand.delete(handing));
    reading.inHand.add(handing);
    await handing;
    await payload.heartbeat();
  };
  const run = async (): Promise<void> => {
    await consumer.connect();
    await consumer.subscribe({ topics: [...options.topics], fromBeginning: true });
    await consumer.run({ autoCommit: false, partitionsConsumedConcurrently: options.atOnce ?? 1, eachBatch });
  };
  try {
    await Promise.race([run(), ended]);
    await ended;
  } finally {
    isOpen = false;
    clearInterval(timer);
    options.signal?.removeEventListener('abort', end);
    await consumer.disconnect();
    // What is handed over still counts: the next consumer goes on behind it.
    await Promise.all(reading.inHand);
    await options.admin.deleteGroups([groupId]).catch(() => undefined);
  }
}

function listen(
  reading: Reading,
  consumer: Consumer,
  { end, reject }: { end: () => void; reject: (error: unknown) => void },
): void {
  const { GROUP_JOIN, CRASH, END_BATCH_PROCESS } = consumer.events;
  // With nothing committed, kafkajs begins anew whenever it joins.
  consumer.on(GROUP_JOIN, ({ payload: { memberAssignment } }) => {
    if (reading.options.follow) reading.heardAt = performance.now();
    for (const [topic, partitions] of Object.entries(memberAssignment)) {
      for (const partition of partitions) {
        const next = reading.next.get(placeOf(topic, partition));
        if (next !== undefined) consumer.seek({ topic, partition, offset: String(next) });
      }
    }
  });
  consumer.on(CRASH, ({ payload }) => reject(payload.error));
  // Told also of batches in which nothing is for us: marks of transactions, aborted records. They may be the last there is.
  consumer.on(END_BATCH_PROCESS, ({ payload: { topic, partition, batchSize, lastOffset } }) => {
    if (batchSize === 0 && isRead(reading, placeOf(topic, partition), BigInt(lastOffset) + 1n)) end();
  });
}

/** What was there at the beginning and was deleted since is waited for in vain. */
async function dropDeleted({ options, ends, inHand, heardAt }: Reading, end: () => void): Promise<void> {
  if (options.follow || inHand.size > 0 || performance.now() - heardAt < IDLE_CHECK_MS) return;
  for (const topic of options.topics) {
    for (const { partition, low, high } of await logEnds(options.admin, topic)) {
      const place = placeOf(topic, partition);
      const end = ends.get(place) ?? 0n;
      // Ends below it: the topic was made anew.
      if (BigInt(low) >= end || BigInt(high) < end) ends.delete(place);
    }
  }
  if (ends.size === 0 && inHand.size === 0) end();
}

/** Resolves with whether there is more to read. */
async function handOver(reading: Reading, batch: EachBatchPayload['batch']): Promise<boolean> {
  const place = placeOf(batch.topic, batch.partition);
  const from = reading.next.get(place) ?? 0n;
  const records = recordsOf(batch).filter(({ offset }) => offset >= from);
  const wantsMore = records.length === 0 || (await reading.options.onRecords(records));
  reading.heardAt = performance.now();
  return !isRead(reading, place, BigInt(batch.lastOffset()) + 1n) && wantsMore;
}

/** Notes that a place is read up to `next`. Whether with it all is read. */
function isRead({ ends, next: places, options }: Reading, place: string, next: bigint): boolean {
  if (next > (places.get(place) ?? 0n)) places.set(place, next);
  const end = ends.get(place);
  if (end !== undefined && next >= end) ends.delete(place);
  return !options.follow && ends.size === 0;
}

const placeOf = (topic: string, partition: number): string => `${topic}/${partition}`;

/** One past the last record of each partition that holds any; and where to begin, if that is not the beginning. */
async function placesOf({
  admin,
  topics,
  follow,
  fromBeginning,
}: ReadOptions): Promise<Pick<Reading, 'ends' | 'next'>> {
  const [ends, next] = [new Map<string, bigint>(), new Map<string, bigint>()];
  for (const topic of topics) {
    for (const { partition, low, high } of await logEnds(admin, topic)) {
      if (!follow && BigInt(low) < BigInt(high)) ends.set(placeOf(topic, partition), BigInt(high));
      if (!fromBeginning) next.set(placeOf(topic, partition), BigInt(high));
    }
  }
  return { ends, next };
}

const recordsOf = ({ topic, partition, messages }: EachBatchPayload['batch']): ConsumedRecord[] =>
  messages.map((message) => toConsumedRecord(topic, partition, message));
