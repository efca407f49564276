import { OmsError } from '../../domain/errors.ts';
import { isNotAuthorized, notAuthorized } from '../client/errors.ts';
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

/** Who a rejected send is blamed on: one of its records, the topic as a whole, or nobody in particular. */
type Blame = 'record' | 'topic' | 'environment';

const TOO_LARGE = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);
const REFUSED = new Set(['INVALID_RECORD', 'INVALID_TIMESTAMP', 'UNSUPPORTED_FOR_MESSAGE_FORMAT', 'POLICY_VIOLATION']);
/** kafkajs fails with these while it encodes a record it cannot write. */
const ENCODING = new Set(['TypeError', 'RangeError', 'ReferenceError']);

/** Reads kafkajs' error of a rejected send. */
export function blameOf(error: unknown): Blame {
  const { type = '', name = '' } = error as { type?: string; name?: string };
  if (TOO_LARGE.has(type) || REFUSED.has(type) || ENCODING.has(name)) return 'record';
  if (isNotAuthorized(error) || type === 'INVALID_TOPIC_EXCEPTION') return 'topic';
  return 'environment';
}

/** The error a held-back record carries. */
export function holdError(topic: string, cause: unknown): OmsError {
  if (cause instanceof OmsError) return cause;
  const { type = '' } = cause as { type?: string };
  const text = textOf(cause);
  if (TOO_LARGE.has(type))
    return new OmsError('OMS_KAFKA_RECORD_TOO_LARGE', `the record is too large for ${topic}`, { cause });
  if (isNotAuthorized(cause)) return notAuthorized('Write', topic, cause);
  if (type === 'INVALID_TOPIC_EXCEPTION')
    return new OmsError('OMS_KAFKA_TOPIC_MISSING', `${topic} cannot be written: ${text}`, { cause });
  if (blameOf(cause) === 'record')
    return new OmsError('OMS_KAFKA_RECORD_REFUSED', `${topic} refuses the record: ${text}`, { cause });
  return new OmsError('OMS_KAFKA_SEND_REJECTED', `${topic} did not confirm the record: ${text}`, { cause });
}

export function tooLarge(topic: string, bytes: number, limit: number): OmsError {
  return new OmsError('OMS_KAFKA_RECORD_TOO_LARGE', `the record has ${bytes} bytes; ${topic} takes ${limit}`);
}

/** For a record whose parts are not text or bytes. */
export function unencodable(topic: string): OmsError {
  return new OmsError('OMS_KAFKA_RECORD_REFUSED', `the record for ${topic} has a part that is neither text nor bytes`);
}

/** For a record that is fine itself but comes after one of its lane that is held back. */
export function behind(lane: string, cause: OmsError): OmsError {
  return new OmsError('OMS_KAFKA_SEND_REJECTED', `held back behind an earlier record of ${lane}: ${cause.message}`, {
    cause,
  });
}

export function closed(): OmsError {
  return new OmsError('OMS_KAFKA_UNAVAILABLE', 'the publisher was closed before the record was confirmed');
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
