import type { Consumer, Admin } from 'kafkajs';
import { OmsError } from '../../domain/errors.ts';
import { logEnds } from '../admin/log-ends.ts';
import type { KafkaConnection } from '../client/client.ts';
import type { ConsumedRecord } from '../consumer/consumed-record.ts';
import type { QuietPartitions } from './quiet-partitions.ts';

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
