import { OmsError } from '../../domain/errors.ts';
import { isNotAuthorized, notAuthorized } from '../client/not-authorized.ts';

/** Who a rejected send is blamed on: one of its records, the topic as a whole, or nobody in particular. */
export type Blame = 'record' | 'topic' | 'environment';

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
