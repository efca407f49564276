import { setTimeout as sleep } from 'node:timers/promises';
import { isOmsError } from '../../domain/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import type { Chunk, ConsumedRecord } from './consumed-record.ts';
import type { Progress } from './consumer-status.ts';

export interface ChunkRunnerOptions {
  handle: (chunk: Chunk) => Promise<void>;
  /** A reason to wait before the next chunk, asked again until there is none. */
  admit: () => string | undefined;
  progress: Progress;
  logger: Logger;
  /** Called with the reason when the loop begins to wait, with undefined when it goes on. */
  onPause: (reason: string | undefined) => void;
}

/** How a chunk ended: everything finished, interrupted by the signal, or by a fault that must end the process. */
export type ChunkEnd = { kind: 'finished' } | { kind: 'interrupted' } | { kind: 'fault'; error: unknown };

const FIRST_WAIT_MS = 200;
const MAX_WAIT_MS = 10_000;
const ADMISSION_WAIT_MS = 500;

/** Brings one chunk through the handler, pausing and trying again for as long as the environment is at fault. */
export async function runChunk(
  options: ChunkRunnerOptions,
  records: readonly ConsumedRecord[],
  watermark: Watermark,
  signal: AbortSignal,
): Promise<ChunkEnd> {
  await waitForAdmission(options, signal);
  for (let wait = FIRST_WAIT_MS; !signal.aborted; wait = Math.min(wait * 2, MAX_WAIT_MS)) {
    const before = watermark.open();
    const failure = await handOver(options, records, watermark, signal);
    if (failure === undefined) {
      options.onPause(undefined);
      return { kind: 'finished' };
    }
    if (signal.aborted) return { kind: 'interrupted' };
    if (!isOmsError(failure) || !failure.retryable) return { kind: 'fault', error: failure };
    if (watermark.open() < before) wait = FIRST_WAIT_MS;
    options.logger.warn({ err: failure, code: failure.code, retryInMs: wait }, 'consumer paused');
    options.onPause(`${failure.code}: ${failure.message}`);
    await pause(wait, options.progress, signal);
  }
  return { kind: 'interrupted' };
}

/** One call of the handler, with what is not finished yet. */
async function handOver(
  { handle, progress }: ChunkRunnerOptions,
  records: readonly ConsumedRecord[],
  watermark: Watermark,
  signal: AbortSignal,
): Promise<unknown> {
  const open = records.filter(({ offset }) => !watermark.isFinished(offset));
  const first = open[0];
  if (!first) return undefined;
  const finished = (offset: bigint): void => {
    watermark.finish(offset);
    progress.note();
  };
  try {
    await handle({ topic: first.topic, partition: first.partition, records: open, finished, signal });
    watermark.finishAll();
    progress.note();
    return undefined;
  } catch (error) {
    return error ?? new Error('the handler rejected without a reason');
  }
}

async function waitForAdmission(options: ChunkRunnerOptions, signal: AbortSignal): Promise<void> {
  for (let reason = options.admit(); reason !== undefined && !signal.aborted; reason = options.admit()) {
    options.onPause(reason);
    await pause(ADMISSION_WAIT_MS, options.progress, signal);
  }
}

/** Waiting on purpose is progress: the loop lives and keeps its place in the group. */
async function pause(ms: number, progress: Progress, signal: AbortSignal): Promise<void> {
  progress.note();
  await sleep(ms, undefined, { signal }).catch(() => undefined);
  progress.note();
}

export function watermarkOf(records: readonly ConsumedRecord[]): Watermark {
  return createWatermark(records.map(({ offset }) => offset));
}

/** Tells up to where a run of records is finished without a gap, when they finish in any order. O(1) a record. */
interface Watermark {
  /** The record at this offset is done. Unknown and repeated offsets are ignored. */
  finish(offset: bigint): void;
  finishAll(): void;
  /** The offset to commit: the first one that is not finished. Undefined while not even the first is. */
  next(): bigint | undefined;
  isFinished(offset: bigint): boolean;
  /** How many are not finished. */
  open(): number;
}

/** `offsets` rise; they need not follow each other without gaps. */
export function createWatermark(offsets: readonly bigint[]): Watermark {
  const positions = new Map(offsets.map((offset, position) => [offset, position]));
  const finished = new Uint8Array(offsets.length);
  let prefix = 0;
  let count = 0;
  const advance = (): void => {
    while (finished[prefix] === 1) prefix++;
  };
  return {
    finish: (offset) => {
      const position = positions.get(offset);
      if (position === undefined || finished[position] === 1) return;
      finished[position] = 1;
      count++;
      advance();
    },
    finishAll: () => {
      finished.fill(1);
      count = offsets.length;
      advance();
    },
    next: () => {
      const last = offsets[prefix - 1];
      return last === undefined ? undefined : last + 1n;
    },
    isFinished: (offset) => finished[positions.get(offset) ?? -1] === 1,
    open: () => offsets.length - count,
  };
}
