import type { OmsError } from '../../domain/errors.ts';
import type { Delivery } from './delivery.ts';
import { behind, closed, holdError, tooLarge, unencodable } from './outgoing-record.ts';
import type { Item, OutgoingRecord, PublishOutcome } from './outgoing-record.ts';
import { placeOf } from './partitions.ts';
import type { Partitions } from './partitions.ts';

export interface SendQueueOptions {
  delivery: Delivery;
  partitions: Partitions;
  maxBatchBytes: (topic: string) => number;
  maxRecords: number;
  aborted: AbortSignal;
  onHeld?: (record: OutgoingRecord, error: OmsError) => void;
}

export interface QueueHealth {
  queued: number;
  inFlight: number;
  oldestMs: number;
  lastConfirmedAt: number | undefined;
}

/** Collects the records of all callers into batches and hands these to the delivery, one after the other. */
export interface SendQueue {
  add<R extends OutgoingRecord>(records: readonly R[]): Promise<PublishOutcome<R>>;
  health(): QueueHealth;
  /** Takes nothing more; resolves when nothing is left. */
  close(): Promise<void>;
}

/** Head and frame of a record batch. */
const BATCH_FRAME_BYTES = 100;
/** All partitions of one send together. */
const MAX_REQUEST_BYTES = 8 * 1_024 * 1_024;

export function createSendQueue(options: SendQueueOptions): SendQueue {
  let waiting: Item[] = [];
  let inFlight: readonly Item[] = [];
  let pumping: Promise<void> | undefined;
  let isClosed = false;
  /** While the records behind a held one are settled: they hold back nothing more. */
  let isHolding = false;
  let lastConfirmedAt: number | undefined;

  const onSettled = (item: Item, error: OmsError | undefined): void => {
    if (error) options.onHeld?.(item.record, error);
    else lastConfirmedAt = Date.now();
    if (error && item.lane !== undefined && !isHolding) holdLane(item, item.lane, error);
  };
  /** What already waits behind a held record of its lane must not overtake it; what waits before it goes first. */
  const holdLane = (held: Item, lane: string, error: OmsError): void => {
    const behindIt = waiting.slice(waiting.indexOf(held) + 1);
    const blocked = new Set(behindIt.filter((item) => item.lane === lane));
    if (blocked.size === 0) return;
    waiting = waiting.filter((item) => !blocked.has(item));
    isHolding = true;
    for (const item of blocked) item.settle({ error: behind(lane, error) });
    isHolding = false;
  };
  const nextBatch = async (): Promise<Item[]> => {
    const head = waiting.slice(0, options.maxRecords);
    const faults = await options.partitions.load(head.map(({ record }) => record.topic));
    for (const item of head) {
      const error = unsendable(item, faults, options.maxBatchBytes);
      if (!error || !waiting.includes(item)) continue;
      item.settle({ error });
      waiting = waiting.filter((other) => other !== item);
    }
    const batch = takeBatch(waiting, options, faults);
    waiting = waiting.slice(batch.length);
    return batch;
  };
  const pump = async (): Promise<void> => {
    await Promise.resolve(); // callers of the same turn join the first batch
    while (waiting.length > 0) {
      if (options.aborted.aborted) return rejectAll();
      inFlight = await nextBatch();
      await options.delivery.deliver(inFlight).catch((error: unknown) => {
        for (const item of inFlight) item.settle({ error: holdError(item.record.topic, error) });
      });
      inFlight = [];
    }
  };
  const rejectAll = (): void => {
    const left = waiting;
    waiting = [];
    for (const item of left) item.settle({ error: closed() });
  };
  const run = async (): Promise<void> => {
    while (waiting.length > 0) await pump();
    pumping = undefined;
  };

  return {
    add: <R extends OutgoingRecord>(records: readonly R[]) => {
      const { outcome, items } = trackOutcome(records, onSettled);
      waiting.push(...items);
      if (isClosed) rejectAll();
      else if (waiting.length > 0) pumping ??= run();
      return outcome;
    },
    health: () => {
      const oldest = inFlight[0] ?? waiting[0];
      const oldestMs = oldest ? Date.now() - oldest.queuedAt : 0;
      return { queued: waiting.length, inFlight: inFlight.length, oldestMs, lastConfirmedAt };
    },
    close: async () => {
      isClosed = true;
      await pumping;
    },
  };
}

/** Why a record cannot be sent at all, known before trying. */
function unsendable(
  item: Item,
  faults: Map<string, OmsError>,
  limitOf: (topic: string) => number,
): OmsError | undefined {
  const { topic } = item.record;
  const limit = limitOf(topic) - BATCH_FRAME_BYTES;
  if (Number.isNaN(item.bytes)) return unencodable(topic);
  return item.bytes > limit ? tooLarge(topic, item.bytes, limit) : faults.get(topic);
}

/** The longest run from the front that fits into one send; sets each item's partition. */
function takeBatch(waiting: readonly Item[], options: SendQueueOptions, faults: Map<string, OmsError>): Item[] {
  const batch: Item[] = [];
  const bytes = new Map<string, number>();
  let total = 0;
  for (const item of waiting.slice(0, options.maxRecords)) {
    const { topic, key } = item.record;
    if (faults.has(topic)) break;
    item.partition = options.partitions.choose(topic, key);
    const place = placeOf(item);
    const size = (bytes.get(place) ?? BATCH_FRAME_BYTES) + item.bytes;
    total += item.bytes;
    if (batch.length > 0 && (size > options.maxBatchBytes(topic) || total > MAX_REQUEST_BYTES)) break;
    bytes.set(place, size);
    batch.push(item);
  }
  return batch;
}

/** Makes the items of one `publish` call, and the promise that resolves when each of them is settled. */
function trackOutcome<R extends OutgoingRecord>(
  records: readonly R[],
  onSettled: (item: Item, error: OmsError | undefined) => void,
): { outcome: Promise<PublishOutcome<R>>; items: Item[] } {
  const { promise: outcome, resolve } = Promise.withResolvers<PublishOutcome<R>>();
  const result: PublishOutcome<R> = { sent: [], held: [] };
  const now = Date.now();
  let open = records.length;
  const items = records.map((record) => {
    let isSettled = false;
    const item: Item = {
      record,
      lane: record.lane ?? record.key?.toString(),
      timestamp: String(record.timestamp ?? now),
      bytes: recordBytes(record),
      queuedAt: now,
      partition: -1,
      settle: (end) => {
        if (isSettled) return;
        isSettled = true;
        if ('error' in end) result.held.push({ record, error: end.error });
        else result.sent.push({ record, ...end });
        onSettled(item, 'error' in end ? end.error : undefined);
        open--;
        if (open === 0) resolve(result);
      },
    };
    return item;
  });
  if (open === 0) resolve(result);
  return { outcome, items };
}

/** Length of a record's parts plus what its frame may add at most; NaN when a part is neither text nor bytes. */
function recordBytes(record: OutgoingRecord): number {
  try {
    return measure(record);
  } catch {
    return NaN;
  }
}

function measure(record: OutgoingRecord): number {
  let bytes = RECORD_FRAME_BYTES + lengthOf(record.key) + lengthOf(record.value);
  for (const [name, value] of Object.entries(record.headers ?? {})) {
    for (const one of Array.isArray(value) ? value : [value])
      bytes += HEADER_FRAME_BYTES + lengthOf(name) + lengthOf(one);
  }
  return bytes;
}

const RECORD_FRAME_BYTES = 32;
const HEADER_FRAME_BYTES = 10;

function lengthOf(part: string | Buffer | null): number {
  return part === null ? 0 : Buffer.byteLength(part);
}
