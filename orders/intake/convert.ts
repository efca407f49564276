import { faultError } from '../../domain/errors.ts';
import type { OmsError } from '../../domain/errors.ts';
import { MESSAGE_KINDS, MESSAGE_VERSION } from '../../domain/lifecycle.ts';
import type { LifecycleMessage } from '../../domain/lifecycle.ts';
import type { PlacedOrder } from '../../domain/order.ts';
import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';
import type { CustomerAction, OrderAmended, OrderCancelled, OrderEvent, OrderPlaced } from '../../schemas/index.ts';
import { lifecycleHash, placedHash } from './event.ts';
import type { EventType, IncomingEvent } from './event.ts';
import { validateAction, validateAmended, validateCancelled, validateEnvelope, validatePlaced } from './validate.ts';

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
