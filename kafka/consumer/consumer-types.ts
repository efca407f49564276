import type { KafkaConnection } from '../client/client.ts';
import type { Chunk } from './consumed-record.ts';
import type { OffsetAlert } from './offset-watch.ts';

/** @default of `sessionTimeoutMs` */
export const SESSION_TIMEOUT_MS = 15_000;

export interface ConsumerLoopOptions {
  connection: KafkaConnection;
  groupId: string;
  topics: readonly string[];
  /**
   * Takes a chunk. Resolves when all of its records are finished: handled for good, whatever came of them. Rejects with
   * a retryable OmsError when the environment is at fault: the loop pauses and hands over again what is not finished.
   * Any other rejection is a bug: the finished prefix is committed, nothing is skipped, and the loop crashes.
   */
  handle: (chunk: Chunk) => Promise<void>;
  /** Called once when the loop has ended by itself. The process must flip its readiness and end with an error. */
  onCrash: (error: unknown) => void;
  /** Records were or may have been skipped by the cluster. */
  onAlert?: (alert: OffsetAlert) => void;
  /** Asked before each chunk; a reason makes the loop wait. */
  admit?: () => string | undefined;
  hooks?: ConsumerHooks;
  /** Records in a chunk at most. @default 500 */
  chunkRecords?: number;
  /** Partitions handled at the same time. @default 1 */
  concurrentPartitions?: number;
  /** Bytes fetched per partition and round. @default 512 KiB */
  maxBytesPerPartition?: number;
  /** A member that is gone without a word keeps its partitions for so long. @default 15 s */
  sessionTimeoutMs?: number;
  /** How long a rebalance waits for members to finish what they are at. @default 30 s */
  rebalanceTimeoutMs?: number;
  /** @default 3 s, or a quarter of a shorter session */
  heartbeatMs?: number;
  /** A handler without any progress for so long loses its partitions. @default 120 s */
  progressTimeoutMs?: number;
  /** Without an answered fetch for so long, `health` says that the loop waits for the cluster. @default 60 s */
  fetchStallMs?: number;
}

export interface ConsumerHooks {
  onChunk?: (event: { topic: string; partition: number; records: number; ms: number }) => void;
  onPause?: (reason: string | undefined) => void;
  onRebalance?: () => void;
  onCommit?: (event: { topic: string; partition: number; offset: bigint }) => void;
}

export type ConsumerState = 'connecting' | 'running' | 'paused' | 'rebalancing' | 'stopping' | 'stopped' | 'crashed';

/** For /readyz and metrics. */
export interface ConsumerHealth {
  state: ConsumerState;
  /** Why the loop waits, while it does: the handler's fault, admission, or a cluster that answers no fetch. */
  pausedReason: string | undefined;
  /** ms since the epoch */
  lastProgressAt: number;
  /** The last time the cluster answered a fetch, ms since the epoch; undefined before the first. */
  lastFetchAt: number | undefined;
  inFlight: number;
  oldestInFlightMs: number;
  partitions: number;
}
