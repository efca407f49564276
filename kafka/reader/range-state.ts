import type { Consumer } from 'kafkajs';
import type { QuietPartitions } from './quiet-partitions.ts';
import type { Range, RangeReaderOptions } from './range-types.ts';

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
