import type { Admin, EachBatchPayload, Kafka } from 'kafkajs';
import { toConsumedRecord } from './consumed-record.ts';
import type { ConsumedRecord } from './consumed-record.ts';
import { logEnds } from './log-ends.ts';

export interface ReadOptions<R = ConsumedRecord> {
  kafka: Kafka;
  admin: Admin;
  topics: readonly string[];
  /** A group of this reading alone; it is deleted at the end. */
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

/**
 * Reads topics in a throwaway group that commits nothing: looking at a topic takes nothing away from anybody. Several topics
 * by one consumer, all that is there or what comes, and begun again by hand when it is cut off; frozen ranges of one topic,
 * that outlive a lost broker and are gone on with, are what `readRanges` (range-reader.ts) reads.
 * Resolves at the end of what is there (`follow: false`), when `onRecords` says so, or when `signal` is aborted.
 */
export async function readTopics(options: ReadOptions): Promise<void> {
  const ends = await endsOf(options);
  if (!options.follow && ends.size === 0) return;
  const consumer = options.kafka.consumer({ groupId: options.groupId, maxWaitTimeInMs: 200, ...FETCH });
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
  options.signal?.addEventListener('abort', () => resolve(), { once: true });
  if (options.signal?.aborted) resolve();
  let open = true;
  const isRead = (topic: string, partition: number, last: string): boolean =>
    !options.follow && isLast(ends, placeOf(topic, partition), BigInt(last) + 1n);
  // Told also of batches in which nothing is for us: marks of transactions, aborted records. They may be the last there is.
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { topic, partition, batchSize, lastOffset } }) => {
    if (batchSize === 0 && isRead(topic, partition, lastOffset)) resolve();
  });
  const eachBatch = async (payload: EachBatchPayload): Promise<void> => {
    const { batch } = payload;
    if (!open) return;
    open = await options.onRecords(recordsOf(batch));
    if (isRead(batch.topic, batch.partition, batch.lastOffset())) open = false;
    if (!open) resolve();
    await payload.heartbeat();
  };
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [...options.topics], fromBeginning: options.fromBeginning });
    await consumer.run({ autoCommit: false, partitionsConsumedConcurrently: options.atOnce ?? 1, eachBatch });
    await ended;
  } finally {
    open = false;
    await consumer.disconnect();
    await options.admin.deleteGroups([options.groupId]).catch(() => undefined);
  }
}

const placeOf = (topic: string, partition: number): string => `${topic}/${partition}`;

/** One past the last record of each partition that holds any; empty when following, which has no end. */
async function endsOf({ admin, topics, follow }: ReadOptions): Promise<Map<string, bigint>> {
  const ends = new Map<string, bigint>();
  if (follow) return ends;
  for (const topic of topics) {
    for (const { partition, low, high } of await logEnds(admin, topic)) {
      if (BigInt(low) < BigInt(high)) ends.set(placeOf(topic, partition), BigInt(high));
    }
  }
  return ends;
}

/** Whether with this place, which is read up to `next`, all is read. */
function isLast(ends: Map<string, bigint>, place: string, next: bigint): boolean {
  const end = ends.get(place);
  if (end !== undefined && next >= end) ends.delete(place);
  return ends.size === 0;
}

const recordsOf = ({ topic, partition, messages }: EachBatchPayload['batch']): ConsumedRecord[] =>
  messages.map((message) => toConsumedRecord(topic, partition, message));
