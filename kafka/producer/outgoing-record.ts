import type { OmsError } from '../../domain/errors.ts';
import type { RecordHeaders } from '../headers.ts';

/** A record to publish. Its bytes are sent as they are, in every repeat. */
export interface OutgoingRecord {
  topic: string;
  key: string | Buffer | null;
  value: Buffer | null;
  headers?: RecordHeaders;
  /** Record time, ms since the epoch. @default the time of `publish` */
  timestamp?: number;
  /**
   * What must not overtake each other. In one topic, records of a lane are confirmed in the order given; when one is
   * held back, so are all later ones that are not confirmed yet, on whatever topic.
   * @default the key; records without key and lane stand alone
   */
  lane?: string;
}

/** A record the cluster has confirmed. */
export interface SentRecord<R> {
  record: R;
  partition: number;
  offset: bigint;
}

/**
 * A record that was not confirmed. `error.retryable` false: it can never be sent as it is. True: publish it again
 * later, before any later record of its lane. (It may have been written all the same: repeats are part of the promise.)
 */
export interface HeldRecord<R> {
  record: R;
  error: OmsError;
}

/** Every record given to `publish` is in exactly one of the two lists. */
export interface PublishOutcome<R> {
  sent: SentRecord<R>[];
  held: HeldRecord<R>[];
}

/** A record on its way through the publisher. */
export interface Item {
  readonly record: OutgoingRecord;
  readonly lane: string | undefined;
  readonly timestamp: string;
  readonly bytes: number;
  readonly queuedAt: number;
  /** -1 until it is taken into a batch. */
  partition: number;
  /** The first call counts. */
  settle(end: { partition: number; offset: bigint } | { error: OmsError }): void;
}

/** `topic/partition`, as a map key. */
export function partitionKey(item: { topic: string; partition: number }): string {
  return `${item.topic}/${item.partition}`;
}

/** Length of a record's parts plus what its frame may add at most; NaN when a part is neither text nor bytes. */
export function recordBytes(record: OutgoingRecord): number {
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
