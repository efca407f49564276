import { setTimeout as sleep } from 'node:timers/promises';
import type { EachBatchPayload } from 'kafkajs';
import type { Logger } from '../../platform/logger.ts';
import { coordinatorLost, isUnanswered, meansRejoin } from '../client/errors.ts';
import { runChunk, watermarkOf } from './chunk-runner.ts';
import { toConsumedRecord } from './consumed-record.ts';
import type { ConsumedRecord } from './consumed-record.ts';
import { SESSION_TIMEOUT_MS } from './consumer-status.ts';
import type { ConsumerLoopOptions, Pauses, Progress } from './consumer-status.ts';
import { heartbeatInterval, withHeartbeats } from './heartbeat.ts';
import type { OffsetWatch } from './offset-watch.ts';

export interface BatchWorkOptions extends ConsumerLoopOptions {
  logger: Logger;
  progress: Progress;
  offsets: OffsetWatch;
  stopping: AbortSignal;
  /** Aborted when a stop has taken too long: whatever still runs is left behind. */
  abandoned: AbortSignal;
  pauses: Pauses;
}

/** How a batch ended. `rejoin` carries the error kafkajs wants to see thrown. */
export type BatchEnd = { kind: 'done' } | { kind: 'rejoin'; error: unknown } | { kind: 'fault'; error: unknown };

const DONE: BatchEnd = { kind: 'done' };
const COMMIT_TRIES_WHILE_STOPPING = 3;
/** Then the coordinator is looked for anew. */
const UNANSWERED_COMMITS = 3;

/** Makes what `eachBatch` does: cut the batch into chunks, bring each through the handler, commit after each. */
export function createBatchWork(options: BatchWorkOptions): (payload: EachBatchPayload) => Promise<BatchEnd> {
  const heartbeat = {
    intervalMs: heartbeatInterval(options),
    sessionTimeoutMs: options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS,
    progressTimeoutMs: options.progressTimeoutMs ?? 120_000,
    progress: options.progress,
    logger: options.logger,
    abandoned: options.abandoned,
  };
  const runner = {
    handle: options.handle,
    admit: options.admit ?? (() => undefined),
    progress: options.progress,
    logger: options.logger,
  };

  const oneChunk = async (payload: EachBatchPayload, records: readonly ConsumedRecord[]): Promise<BatchEnd> => {
    const watermark = watermarkOf(records);
    const end = options.progress.begin(() => watermark.open());
    const left = new AbortController();
    const place = `${payload.batch.topic}/${payload.batch.partition}`;
    const onPause = (reason: string | undefined): void => options.pauses.set(place, reason);
    const startedAt = performance.now();
    try {
      return await withHeartbeats(
        heartbeat,
        () => payload.heartbeat(),
        left,
        async () => {
          const signal = AbortSignal.any([left.signal, options.stopping]);
          const result = await runChunk({ ...runner, onPause }, records, watermark, signal);
          const next = watermark.next();
          const refused = next === undefined ? undefined : await commit(payload, next, left.signal, onPause);
          reportChunk(options, records, performance.now() - startedAt);
          if (result.kind === 'fault') return result;
          if (left.signal.aborted) return { kind: 'rejoin', error: left.signal.reason as unknown };
          return refused === undefined ? DONE : { kind: 'rejoin', error: refused };
        },
      );
    } finally {
      onPause(undefined);
      end();
    }
  };

  /** Tries until it is committed; returns the error when the group has moved on. */
  const commit = async (
    payload: EachBatchPayload,
    next: bigint,
    left: AbortSignal,
    onPause: (reason: string) => void,
  ): Promise<unknown> => {
    const { topic, partition } = payload.batch;
    const offsets = { topics: [{ topic, partitions: [{ partition, offset: String(next) }] }] };
    payload.resolveOffset(String(next - 1n));
    for (let n = 1; ; n++) {
      try {
        await payload.commitOffsetsIfNecessary(offsets);
        options.hooks?.onCommit?.({ topic, partition, offset: next });
        return undefined;
      } catch (error) {
        if (meansRejoin(error) || left.aborted) return error;
        if (options.stopping.aborted && n >= COMMIT_TRIES_WHILE_STOPPING) return error;
        if (n >= UNANSWERED_COMMITS && isUnanswered(error)) return coordinatorLost(error);
        options.logger.warn({ err: error, topic, partition }, 'offset not committed, trying again');
        onPause('the offset cannot be committed');
        await sleep(Math.min(100 * 2 ** n, 5_000));
        options.progress.note();
      }
    }
  };

  return async (payload) => {
    const records = payload.batch.messages.map((message) =>
      toConsumedRecord(payload.batch.topic, payload.batch.partition, message),
    );
    watch(options.offsets, payload);
    const size = options.chunkRecords ?? 500;
    for (let from = 0; from < records.length; from += size) {
      if (!payload.isRunning() || payload.isStale() || options.stopping.aborted) break;
      const end = await oneChunk(payload, records.slice(from, from + size));
      if (end.kind !== 'done') return end;
    }
    return DONE;
  };
}

function watch(offsets: OffsetWatch, { batch }: EachBatchPayload): void {
  const first = batch.firstOffset();
  if (first === null) return;
  offsets.sawBatch({
    topic: batch.topic,
    partition: batch.partition,
    first: BigInt(first),
    last: BigInt(batch.lastOffset()),
  });
}

function reportChunk({ hooks }: BatchWorkOptions, records: readonly ConsumedRecord[], ms: number): void {
  const first = records[0];
  if (first) hooks?.onChunk?.({ topic: first.topic, partition: first.partition, records: records.length, ms });
}
