import { OmsError, faultError, isOmsError } from '../../domain/errors.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import { isOrderId } from '../../domain/ids.ts';
import { MAX_EVENT_BYTES } from '../../domain/order.ts';
import { grouped } from '../../domain/rules.ts';
import type { Codec } from '../../kafka/codec/codec.ts';
import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';
import type { OrderEvent } from '../../schemas/index.ts';
import { toIncomingEvent } from './convert.ts';
import type { IncomingEvent, PoisonMessage } from './event.ts';

/**
 * Turns records of the orders topic into events or poison messages; never into nothing, and never by throwing for what
 * a record holds. The schemas the values name are fetched first, in one go.
 * @throws OmsError OMS_REGISTRY_UNAVAILABLE (retryable)
 */
export async function decodeRecords(
  codec: Codec,
  topic: string,
  records: readonly ConsumedRecord[],
): Promise<(IncomingEvent | PoisonMessage)[]> {
  await codec.prefetch(records.map((record) => record.value));
  return records.map((record) => decodeRecord(codec, topic, record));
}

function decodeRecord(codec: Codec, topic: string, record: ConsumedRecord): IncomingEvent | PoisonMessage {
  const read = readValue<OrderEvent>(codec, topic, record.value);
  if (read.error) return poison(record, read.error);
  try {
    const event = toIncomingEvent(read.event, record);
    assertKey(record.key, event.orderId, 'the order id');
    return event;
  } catch (error) {
    if (!isOmsError(error)) throw error;
    return poison(record, error, read.event);
  }
}

function poison(record: ConsumedRecord, error: OmsError, event?: OrderEvent): PoisonMessage {
  const orderId = isOrderId(event?.orderId) ? event.orderId : orderIdInKey(record.key);
  return { kind: 'poison', error, orderId, source: event?.source.slice(0, 100) ?? null, record };
}

/** A producer whose event cannot be read still finds it under the key it gave. */
function orderIdInKey(key: Buffer | null): string | null {
  const text = key?.toString('utf8');
  return isOrderId(text) ? text : null;
}

/** The rule a value broke when the codec could not read it. */
const WIRE_RULES: Partial<Record<ErrorCode, string>> = {
  OMS_INGEST_VALUE_EMPTY: 'must hold what its topic carries; a record without a value means nothing on this topic',
  OMS_INGEST_NOT_AVRO: 'must start with the byte 0 and the 4-byte id of a schema',
  OMS_INGEST_SCHEMA_UNKNOWN: 'must name a schema the registry knows',
  OMS_INGEST_SCHEMA_FOREIGN: 'must be written with a schema of this topic',
  OMS_INGEST_AVRO_CORRUPT: 'must be a complete Avro record of the schema it names',
};

/** The codec says what went wrong with a value; a dead letter also names field, value and rule. */
function wireFault(error: OmsError, value: Buffer | null): OmsError {
  if (error.fault) return error;
  const rule = WIRE_RULES[error.code] ?? 'must be readable';
  return new OmsError(error.code, error.message, {
    fault: { field: 'value', value: excerpt(value), rule },
    cause: error,
  });
}

/** `what` names the id in words. @throws OmsError OMS_INGEST_KEY_MISSING or OMS_INGEST_KEY_MISMATCH */
export function assertKey(key: Buffer | null, id: string, what: string): void {
  const text = key?.toString('utf8') ?? null;
  if (text === id) return;
  const code = text ? 'OMS_INGEST_KEY_MISMATCH' : 'OMS_INGEST_KEY_MISSING';
  throw faultError(code, { field: 'key', value: text, rule: `must be ${what}, ${id}` });
}

const EXCERPT_BYTES = 16;

function excerpt(value: Buffer | null): string {
  if (value === null) return 'null';
  if (value.length === 0) return '0 bytes';
  const hex = value
    .subarray(0, EXCERPT_BYTES)
    .toString('hex')
    .replace(/(..)(?=.)/g, '$1 ');
  return `${hex}${value.length > EXCERPT_BYTES ? '…' : ''} (${grouped(value.length)} bytes)`;
}

function tooLarge(value: Buffer): OmsError {
  const rule = `must be at most ${grouped(MAX_EVENT_BYTES)} bytes`;
  return faultError('OMS_INGEST_TOO_LARGE', { field: 'value', value: `${grouped(value.length)} bytes`, rule });
}

/** The event in a record's value, or why there is none. Its schema has been fetched before. */
export function readValue<V>(
  codec: Codec,
  topic: string,
  value: Buffer | null,
): { event: V; error: null } | { event: null; error: OmsError } {
  if (value && value.length > MAX_EVENT_BYTES) return { event: null, error: tooLarge(value) };
  const decoded = codec.decode<V>(topic, value);
  if (decoded.kind === 'poison') return { event: null, error: wireFault(decoded.error, value) };
  return { event: decoded.value, error: null };
}
