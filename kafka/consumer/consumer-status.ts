import type { Logger } from '../../platform/logger.ts';
import type { ConsumerHealth, ConsumerLoopOptions, ConsumerState } from './consumer-types.ts';
import { createPauses } from './pauses.ts';
import type { Pauses } from './pauses.ts';
import { createProgress } from './progress.ts';
import type { Progress } from './progress.ts';

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
