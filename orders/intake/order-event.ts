import { hash } from 'node:crypto';
import type { LifecycleRecord } from '../../database/ledger/parked-events.ts';
import { storedRecord } from '../../database/ledger/records.ts';
import { faultError, isOmsError } from '../../domain/errors.ts';
import type { OmsError } from '../../domain/errors.ts';
import { isOrderId } from '../../domain/ids.ts';
import { MESSAGE_KINDS, MESSAGE_VERSION } from '../../domain/order-messages.ts';
import type { LifecycleMessage } from '../../domain/order-messages.ts';
import { fingerprintText } from '../../domain/order.ts';
import type { PlacedOrder } from '../../domain/order.ts';
import type { Codec } from '../../kafka/codec/codec.ts';
import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';
import type { CustomerAction, OrderAmended, OrderCancelled, OrderEvent, OrderPlaced } from '../../schemas/index.ts';
import {
  assertKey,
  readValue,
  validateAction,
  validateAmended,
  validateCancelled,
  validateEnvelope,
  validatePlaced,
} from './validate.ts';

/** The payloads of an order event, as the topic's schema names them. */
export type EventType = 'OrderPlaced' | 'OrderAmended' | 'OrderCancelled' | 'CustomerAction';

interface EventBase {
  type: EventType;
  eventId: string;
  orderId: string;
  source: string;
  /** The producer's count of this order's events; null = topic order is the order. */
  sequence: number | null;
  /** Upstream's time, ms since the epoch. Data only. */
  occurredAt: number;
  /** Equal for events that say the same; see `placedHash` and `lifecycleHash`. */
  contentHash: Buffer;
  record: ConsumedRecord;
}

/** An order was placed. */
export interface PlacedEvent extends EventBase {
  kind: 'placed';
  order: PlacedOrder;
}

/** Something happened to an order that was placed. */
export interface LifecycleEvent extends EventBase {
  kind: 'lifecycle';
  message: LifecycleMessage;
}

/** A valid event, with the record it came in: nothing behind `decodeRecords` checks it again. */
export type IncomingEvent = PlacedEvent | LifecycleEvent;

/** A record that can never be taken, and why; with what of it could be read. */
export interface PoisonMessage {
  kind: 'poison';
  error: OmsError;
  orderId: string | null;
  source: string | null;
  record: ConsumedRecord;
}

/** A lifecycle event with the record it came in, as it is parked and handed over. */
export function lifecycleRecord(event: LifecycleEvent): LifecycleRecord {
  const { orderId, eventId, message, contentHash, source, sequence } = event;
  return { orderId, eventId, message, contentHash, source, sequence, record: storedRecord(event.record) };
}

/** sha-256 of what makes two events the same order (domain/order.ts), by the version the ledger row names. */
export function fingerprint(order: PlacedOrder, version?: number): Buffer {
  return hash('sha256', fingerprintText(order, version), 'buffer');
}

/**
 * Content hash of a placed order: of its bytes. Equal bytes are the same event for sure, at a tenth of what the
 * fingerprint costs; whether other bytes are the same order, the fingerprint tells.
 */
export function placedHash(value: Buffer): Buffer {
  return hash('sha256', value, 'buffer');
}

/** Content hash of a lifecycle event: of who asks for what. The time and the encoding may differ between retries. */
function lifecycleHash(source: string, message: LifecycleMessage): Buffer {
  return hash('sha256', JSON.stringify([source, message]), 'buffer');
}

/** The largest lifecycle message handed to a workflow: Temporal takes 2 MB, and JSON is longer than Avro. */
const MAX_MESSAGE_CHARACTERS = 500_000;

/**
 * An order event as it stood on the topic, checked and turned into the words of the domain.
 * @throws OmsError OMS_INGEST_FIELD_INVALID, OMS_INGEST_PAYLOAD_UNKNOWN or OMS_INGEST_TOO_LARGE
 */
export function toIncomingEvent(event: OrderEvent, record: ConsumedRecord): IncomingEvent {
  validateEnvelope(event);
  const [branch, payload] = Object.entries<unknown>(event.payload)[0] ?? ['', undefined];
  const type = branch.slice(branch.lastIndexOf('.') + 1) as EventType;
  switch (type) {
    case 'OrderPlaced':
      return placed(event, payload as OrderPlaced, record);
    case 'OrderAmended':
      return lifecycle(event, type, amend(event, payload as OrderAmended), record);
    case 'OrderCancelled':
      return lifecycle(event, type, cancel(event, payload as OrderCancelled), record);
    case 'CustomerAction':
      return lifecycle(event, type, customerAction(event, payload as CustomerAction), record);
  }
  throw unknownPayload(branch);
}

function unknownPayload(branch: string): OmsError {
  const rule = 'must be OrderPlaced, OrderAmended, OrderCancelled or CustomerAction';
  return faultError('OMS_INGEST_PAYLOAD_UNKNOWN', { field: 'payload', value: branch, rule });
}

function envelope(event: OrderEvent, record: ConsumedRecord) {
  const { eventId, orderId, source, sequence, occurredAt } = event;
  return { eventId, orderId, source, sequence, occurredAt, record };
}

function placed(event: OrderEvent, payload: OrderPlaced, record: ConsumedRecord): IncomingEvent {
  validatePlaced(payload);
  const { customerId, currency, items, shipTo } = payload;
  const { orderId, source, occurredAt: placedAt } = event;
  const order: PlacedOrder = { orderId, customerId, currency, items, shipTo, source, placedAt };
  const contentHash = placedHash(record.value ?? Buffer.alloc(0));
  return { kind: 'placed', type: 'OrderPlaced', ...envelope(event, record), contentHash, order };
}

function lifecycle(
  event: OrderEvent,
  type: EventType,
  message: LifecycleMessage,
  record: ConsumedRecord,
): IncomingEvent {
  const { length } = JSON.stringify(message);
  if (length > MAX_MESSAGE_CHARACTERS) {
    const rule = `must be at most ${MAX_MESSAGE_CHARACTERS} characters as JSON`;
    throw faultError('OMS_INGEST_TOO_LARGE', { field: 'payload', value: `${length} characters`, rule });
  }
  const contentHash = lifecycleHash(event.source, message);
  return { kind: 'lifecycle', type, ...envelope(event, record), contentHash, message };
}

function amend({ eventId }: OrderEvent, payload: OrderAmended): LifecycleMessage {
  validateAmended(payload);
  return { v: MESSAGE_VERSION, kind: MESSAGE_KINDS.amend, eventId, items: payload.items, shipTo: payload.shipTo };
}

function cancel({ eventId, orderId }: OrderEvent, payload: OrderCancelled): LifecycleMessage {
  validateCancelled(payload, orderId);
  const { reason, fulfillmentId } = payload;
  return { v: MESSAGE_VERSION, kind: MESSAGE_KINDS.cancel, eventId, reason, fulfillmentId };
}

function customerAction({ eventId }: OrderEvent, payload: CustomerAction): LifecycleMessage {
  validateAction(payload);
  return {
    v: MESSAGE_VERSION,
    kind: MESSAGE_KINDS.customerAction,
    eventId,
    action: payload.action === 'Amend' ? 'amend' : 'cancel',
  };
}

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
