import type { Logger } from '../../platform/logger.ts';
import type { KafkaConnection } from '../client/client.ts';
import type { Chunk } from './consumed-record.ts';
import type { OffsetAlert } from './offset-watch.ts';

/** Where a consumer loop stands: written by its parts, read by `health`. */
export interface ConsumerStatus {
  readonly pauses: Pauses;
  readonly progress: Progress;
  connecting(): void;
  fetched: () => void;
  joined(assignment: Record<string, number[]>): void;
  rebalancing(): void;
  /** Whether this is the first time. */
  crashed(): boolean;
  stopping(): void;
  stopped(): void;
  health: () => ConsumerHealth;
}

const FETCH_STALL_MS = 60_000;

export function createStatus(
  options: Pick<ConsumerLoopOptions, 'hooks' | 'fetchStallMs'> & { logger: Logger },
): ConsumerStatus {
  const progress = createProgress();
  const pauses = createPauses((reason) => options.hooks?.onPause?.(reason));
  let state: ConsumerState = 'connecting';
  let partitions = 0;
  let lastFetchAt: number | undefined;
  const become = (next: ConsumerState): void => {
    if (state !== 'crashed') state = next;
  };
  /** kafkajs repeats failed fetches for ever and says nothing: only its silence shows. */
  const stall = (): string | undefined => {
    const silentMs = lastFetchAt === undefined ? 0 : Date.now() - lastFetchAt;
    if (state !== 'running' || progress.inFlight() > 0) return undefined;
    if (silentMs < (options.fetchStallMs ?? FETCH_STALL_MS)) return undefined;
    return `no fetch was answered for ${Math.round(silentMs / 1_000)} s`;
  };
  return {
    pauses,
    progress,
    connecting: () => {
      become('connecting');
      partitions = 0;
    },
    fetched: () => void (lastFetchAt = Date.now()),
    joined: (assignment) => {
      become('running');
      partitions = Object.values(assignment).flat().length;
      lastFetchAt = Date.now();
      progress.note();
      options.logger.info({ partitions: assignment }, 'consumer joined');
    },
    rebalancing: () => become('rebalancing'),
    crashed: () => {
      if (state === 'crashed') return false;
      state = 'crashed';
      return true;
    },
    stopping: () => become('stopping'),
    stopped: () => become('stopped'),
    health: () => {
      const pausedReason = pauses.reason() ?? stall();
      return {
        state: state === 'running' && pausedReason !== undefined ? 'paused' : state,
        pausedReason,
        lastProgressAt: progress.lastAt(),
        lastFetchAt,
        inFlight: progress.inFlight(),
        oldestInFlightMs: progress.oldestMs(),
        partitions,
      };
    },
  };
}

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

/** Why the loop waits; with several partitions handled at once, each for itself. */
export interface Pauses {
  /** `undefined`: the partition goes on. */
  set(place: string, reason: string | undefined): void;
  /** The reason of the partition that has waited longest. */
  reason(): string | undefined;
}

/** `onChange` is told whenever `reason` becomes another one. */
export function createPauses(onChange: (reason: string | undefined) => void): Pauses {
  const reasons = new Map<string, string>();
  const reason = (): string | undefined => reasons.values().next().value;
  return {
    reason,
    set: (place, next) => {
      const before = reason();
      if (next === undefined) reasons.delete(place);
      else reasons.set(place, next);
      if (reason() !== before) onChange(reason());
    },
  };
}

/** What a consumer loop is doing, for its watchdog, health and metrics. */
export interface Progress {
  /** Something moved: a record finished, a chunk began, a pause was looked at. */
  note(): void;
  sinceMs(): number;
  begin(open: () => number): () => void;
  inFlight(): number;
  /** Age of the oldest chunk that is being handled. */
  oldestMs(): number;
  lastAt(): number;
}

function createProgress(): Progress {
  let last = Date.now();
  const running = new Map<symbol, { startedAt: number; open: () => number }>();
  return {
    note: () => void (last = Date.now()),
    sinceMs: () => Date.now() - last,
    begin: (open) => {
      const key = Symbol('chunk');
      last = Date.now();
      running.set(key, { startedAt: last, open });
      return () => void running.delete(key);
    },
    inFlight: () => [...running.values()].reduce((sum, { open }) => sum + open(), 0),
    oldestMs: () => {
      const [oldest] = running.values();
      return oldest ? Date.now() - oldest.startedAt : 0;
    },
    lastAt: () => last,
  };
}
