import type { Admin } from 'kafkajs';
import type { FrozenRange } from '../../database/replays/replay-parts.ts';
import { faultError } from '../../domain/errors.ts';
import type { OmsError } from '../../domain/errors.ts';
import { logEnds, offsetsSince } from '../../kafka/admin/log-ends.ts';

/** Offsets of one partition; both ends included, undefined = as far as there is. */
export interface OffsetSpan {
  partition: number;
  from: number | undefined;
  to: number | undefined;
}

/** What a partition holds when the range is frozen. */
export interface LogExtent {
  partition: number;
  /** Its first and one past its last offset. */
  low: number;
  high: number;
  /** The first offset whose record is not older than the time asked for. */
  since?: number;
}

/**
 * The ranges as they stand now. A time only moves their beginning: record times need not rise with the offsets, so
 * records past the end of the time asked for can lie anywhere, and are told by their own time.
 * @throws OmsError OMS_REPLAY_INVALID for a partition that is not there
 */
export function rangesOf(logs: readonly LogExtent[], spans: readonly OffsetSpan[] | null): FrozenRange[] {
  const wanted = spans ?? logs.map(({ partition }) => ({ partition, from: undefined, to: undefined }));
  return wanted
    .map(({ partition, from = 0, to }) => {
      const log = logs.find((one) => one.partition === partition);
      if (!log) throw noPartition(partition, logs.length);
      const end = Math.min(log.high, to === undefined ? log.high : to + 1);
      return { partition, from: Math.min(end, Math.max(log.low, from, log.since ?? 0)), end };
    })
    .sort((a, b) => a.partition - b.partition);
}

function noPartition(partition: number, partitions: number): OmsError {
  const rule = `must name a partition the topic has, 0 to ${partitions - 1}`;
  return faultError('OMS_REPLAY_INVALID', { field: 'offsets', value: partition, rule });
}

/**
 * Asks the cluster what the topic holds. `admin` must be connected.
 * @throws OmsError OMS_KAFKA_TOPIC_MISSING
 */
export async function readExtents(admin: Admin, topic: string, sinceMs: number | null): Promise<LogExtent[]> {
  const ends = await logEnds(admin, topic);
  const since = sinceMs === null ? [] : await offsetsSince(admin, topic, sinceMs);
  const sinceOf = new Map(since.map(({ partition, offset }) => [partition, Number(offset)]));
  return ends.map(({ partition, low, high }) => ({
    partition,
    low: Number(low),
    high: Number(high),
    ...(sinceOf.has(partition) ? { since: sinceOf.get(partition) } : {}),
  }));
}

const SPAN = /^(\d{1,9})(?::(\d{0,15})-(\d{0,15}))?$/;

/**
 * Reads `3:100-199` (offsets 100 to 199 of partition 3), `3:100-`, `3:-199` and `3`, several with commas between.
 * @throws OmsError OMS_REPLAY_INVALID
 */
export function parseSpans(text: string): OffsetSpan[] {
  const spans = text.split(',').map((part) => parseSpan(part.trim()));
  const twice = spans.find(({ partition }, i) => spans.findIndex((one) => one.partition === partition) !== i);
  if (twice) throw badSpan(text, `must name each partition once; ${twice.partition} is there twice`);
  return spans;
}

function parseSpan(part: string): OffsetSpan {
  const [matched, partition, from = '', to = ''] = SPAN.exec(part) ?? [];
  if (matched === undefined) throw badSpan(part, 'must be a partition, or partition:from-to, such as 3:100-199');
  const span = { partition: Number(partition), from: numberOf(from), to: numberOf(to) };
  if (span.to !== undefined && span.to < (span.from ?? 0)) throw badSpan(part, 'must not end before it begins');
  return span;
}

const numberOf = (digits: string): number | undefined => (digits === '' ? undefined : Number(digits));

function badSpan(value: string, rule: string): OmsError {
  return faultError('OMS_REPLAY_INVALID', { field: 'offsets', value, rule });
}
