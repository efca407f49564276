import type { Logger } from '../../platform/logger.ts';
import { coordinatorLost, meansRejoin } from '../client/errors.ts';
import { SESSION_TIMEOUT_MS } from './consumer-status.ts';
import type { Progress } from './consumer-status.ts';

const HEARTBEAT_MS = 3_000;
/** Of a short session: so that some may be late or lost. */
const HEARTBEATS_A_SESSION = 4;

/** How often the group is told that the member is alive. */
export function heartbeatInterval(options: { heartbeatMs?: number; sessionTimeoutMs?: number }): number {
  const { sessionTimeoutMs = SESSION_TIMEOUT_MS } = options;
  return options.heartbeatMs ?? Math.min(HEARTBEAT_MS, sessionTimeoutMs / HEARTBEATS_A_SESSION);
}

/**
 * kafkajs sends no heartbeat before the interval has passed since the last one was answered. A timer of that interval is
 * always just too early, and would have every second one sent.
 */
const LOOKS_AN_INTERVAL = 4;

/** Calls `beat` so often that a heartbeat is sent soon after it is due. Returns what ends it. */
export function beating(intervalMs: number, beat: () => Promise<void>): () => void {
  const timer = setInterval(() => void beat(), intervalMs / LOOKS_AN_INTERVAL);
  return () => clearInterval(timer);
}

export interface HeartbeatOptions {
  intervalMs: number;
  /** The group gives the partitions of a member away that it has not heard of for so long. */
  sessionTimeoutMs: number;
  /** Without progress for so long no heartbeat is sent, and the group gives the partitions to another member. */
  progressTimeoutMs: number;
  progress: Progress;
  logger: Logger;
  /** Aborted when nobody waits for the work any more. */
  abandoned: AbortSignal;
}

/**
 * Keeps a consumer's place in its group while work runs. Unlike a bare timer it stops when the work has stopped
 * moving. Aborts `left` when the group has moved on.
 */
export async function withHeartbeats<T>(
  options: HeartbeatOptions,
  heartbeat: () => Promise<void>,
  left: AbortController,
  work: () => Promise<T>,
): Promise<T> {
  let isBeating = false;
  let heardAt = performance.now();
  const beat = async (): Promise<void> => {
    if (isBeating || left.signal.aborted) return;
    if (options.progress.sinceMs() > options.progressTimeoutMs) {
      options.logger.error({ sinceMs: options.progress.sinceMs() }, 'consumer makes no progress, heartbeats stopped');
      return;
    }
    isBeating = true;
    await heartbeat().then(
      () => (heardAt = performance.now()),
      (error: unknown) => {
        // A lost connection is tried again with the next beat, for as long as the group keeps our place.
        const isForgotten = performance.now() - heardAt > options.sessionTimeoutMs;
        if (meansRejoin(error)) left.abort(error);
        else if (isForgotten) left.abort(coordinatorLost(error));
        else options.logger.debug({ err: error }, 'heartbeat failed');
      },
    );
    isBeating = false;
  };
  const end = beating(options.intervalMs, beat);
  options.abandoned.addEventListener('abort', end);
  try {
    return await work();
  } finally {
    end();
    options.abandoned.removeEventListener('abort', end);
  }
}
