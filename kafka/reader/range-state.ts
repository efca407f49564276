import type { Consumer, Admin } from 'kafkajs';
import { OmsError } from '../../domain/errors.ts';
import { logEnds } from '../admin/log-ends.ts';
import type { KafkaConnection } from '../client/client.ts';
import type { ConsumedRecord } from '../consumer/consumed-record.ts';

/** `lost`: to a fault of the cluster that a new session may not meet. */
export type SessionEnd = 'read' | 'lost';

/** What one kafkajs consumer and those who listen to it share. */
export interface Session {
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

/** A range that is read to its end is fetched no more. */
export function advance({ consumer, open, options: { topic } }: Session, partition: number, next: bigint): void {
  const range = open.get(partition);
  if (!range) return;
  if (next > range.next) range.next = next;
  if (range.next < range.end) return;
  open.delete(partition);
  consumer.pause([{ topic, partitions: [partition] }]);
}

export function endIfRead({ open, end }: Session): void {
  if (open.size === 0) end('read');
}

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

/** Finds the end of ranges whose last records are gone, or are none for us, and topics that were made anew. */
export async function checkIdle(session: Session, admin: Admin): Promise<void> {
  const { open, quiet, options } = session;
  if (session.isOver || session.inHand > 0) return;
  const wereQuiet = new Set([...open.keys()].filter((partition) => quiet.isQuiet(partition)));
  if (quiet.knowsLeaders() && wereQuiet.size === 0) return;
  // Of a partition whose leader has moved the old one's answers say nothing.
  await quiet.learnLeaders(admin, options.topic);
  const ends = await logEnds(admin, options.topic);
  // The answers may have taken their time: meanwhile something may have come.
  if (session.isOver || session.inHand > 0) return;
  for (const { partition, high } of ends) {
    const range = open.get(partition);
    if (range && BigInt(high) < range.end) return session.fail(changed(options.topic, range, high));
    // The log goes on to the end of the range, and has nothing to read up to there.
    if (range && wereQuiet.has(partition) && quiet.isQuiet(partition)) advance(session, partition, range.end);
  }
  endIfRead(session);
}

function changed(topic: string, { partition, end }: Range, high: string): OmsError {
  const message = `partition ${partition} of ${topic} ends at ${high}; it ended at ${end} or later when this was planned`;
  return new OmsError('OMS_REPLAY_TOPIC_CHANGED', message);
}

const QUIET_FETCHES = 3;

/** How long a broker keeps a fetch that it has nothing for, ms. */
export const MAX_WAIT_MS = 200;
/** A fetch that was answered sooner brought something, or failed. */
const QUIET_MS = 0.7 * MAX_WAIT_MS;
/** An answer that says something of a partition is longer: to a client that reads too fast a broker says nothing at all. */
const NOTHING_SAID_BYTES = 40;

/**
 * Tells partitions from which nothing comes though they are asked. kafkajs says how long a broker took to answer, and how
 * much it said, but not that a partition had nothing in it.
 */
interface QuietPartitions {
  /** A broker has answered a fetch; perhaps it had nothing new, of any of the partitions it leads. */
  answered(fetch: { broker: string; duration: number; size: number }, partitions: Iterable<number>): void;
  heardOf(partition: number): void;
  forgetAll(): void;
  /** Fetches in a row have brought nothing of it. */
  isQuiet(partition: number): boolean;
  /** As no one knows who leads what before the first time. */
  knowsLeaders(): boolean;
  /** Partitions that another broker leads now are heard of anew. */
  learnLeaders(admin: Admin, topic: string): Promise<void>;
}

export function createQuietPartitions(): QuietPartitions {
  let leaders = new Map<number, string>();
  const fetches = new Map<number, number>();
  return {
    answered: ({ broker, duration, size }, partitions) => {
      if (duration < QUIET_MS || size < NOTHING_SAID_BYTES) return;
      for (const partition of partitions) {
        if (leaders.get(partition) === broker) fetches.set(partition, (fetches.get(partition) ?? 0) + 1);
      }
    },
    heardOf: (partition) => void fetches.delete(partition),
    forgetAll: () => fetches.clear(),
    isQuiet: (partition) => (fetches.get(partition) ?? 0) >= QUIET_FETCHES,
    knowsLeaders: () => leaders.size > 0,
    learnLeaders: async (admin, topic) => {
      const now = await leadersOf(admin, topic);
      for (const [partition, leader] of now) if (leaders.get(partition) !== leader) fetches.delete(partition);
      leaders = now;
    },
  };
}

/** By host and port, as kafkajs names them. */
async function leadersOf(admin: Admin, topic: string): Promise<Map<number, string>> {
  const { brokers } = await admin.describeCluster();
  const nameOf = new Map(brokers.map(({ nodeId, host, port }) => [nodeId, `${host}:${port}`]));
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  return new Map(
    topics.flatMap(({ partitions }) =>
      partitions.map(({ partitionId, leader }) => [partitionId, nameOf.get(leader) ?? '']),
    ),
  );
}
