import type { KafkaConnection } from '../client/client.ts';
import type { ConsumedRecord } from '../consumer/consumed-record.ts';

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
