import { faultError } from './errors.ts';
import type { ErrorCode } from './errors.ts';

/**
 * The types of the events we publish, by what they are about. Each is a part of the ids `outgoingEventId` makes, which
 * others store: none is ever renamed (test/frozen).
 */
export const EVENT_TYPES = {
  shipment: ['ShipmentBooked', 'ShipmentDispatched', 'ShipmentDelayed', 'ShipmentCancelled'],
  invoice: ['InvoiceIssued', 'PaymentAuthorized', 'InvoicePaid', 'PaymentFailed', 'PaymentVoided'],
  creditNote: ['CreditNoteIssued', 'InvoiceRefunded'],
  delivery: ['Delivered', 'DeliveryFailed', 'ReturnedToSender'],
  order: ['OrderStatus'],
} as const;

export type EventTypeOf<K extends keyof typeof EVENT_TYPES> = (typeof EVENT_TYPES)[K][number];

/** The subject of events about the order as a whole; all others have the number of a fulfillment. */
export const ORDER_SUBJECT = 'order';

/** The start of the outbox ids of records for our own input topics. */
export const POSTED_PREFIX = 'in/';

/** Order ids upstream may use. No colon: it separates the order id from the number of a fulfillment. */
export const ORDER_ID_PATTERN = /^[A-Za-z0-9._-]{1,128}$/;
export const ORDER_ID_RULE = 'must be 1 to 128 characters of A-Z a-z 0-9 . _ -';

export function isOrderId(value: unknown): value is string {
  return typeof value === 'string' && ORDER_ID_PATTERN.test(value);
}

/** @throws OmsError with `code` when the id breaks the rule */
export function assertOrderId(value: unknown, field = 'orderId', code: ErrorCode = 'OMS_INGEST_FIELD_INVALID'): string {
  if (isOrderId(value)) return value;
  throw faultError(code, { field, value, rule: ORDER_ID_RULE });
}

/** One workflow per order id, ever: `Order:<orderId>`. */
export function orderWorkflowId(orderId: string): string {
  return `Order:${orderId}`;
}

/** A fulfillment's id, and that of its shipment: `<orderId>:<n>`, n from 1. */
export function fulfillmentId(orderId: string, n: number): string {
  return `${orderId}:${n}`;
}

/** `<orderId>:<n>`, as both a fulfillment and its shipment are named. */
export function isShipmentId(id: string): boolean {
  return isOrderId(orderIdOf(id)) && /:[1-9]\d{0,8}$/.test(id);
}

/** The order of a fulfillment or shipment; split at the last colon. */
export function orderIdOf(fulfillmentOrShipmentId: string): string {
  const colon = fulfillmentOrShipmentId.lastIndexOf(':');
  return colon < 0 ? fulfillmentOrShipmentId : fulfillmentOrShipmentId.slice(0, colon);
}

/**
 * The id of an outgoing event: the natural key of the business fact it tells, `<orderId>/<subject>/<type>/<ordinal>`.
 * The subject is what the event is about within the order: `order`, or the number of a fulfillment.
 */
export function outgoingEventId(orderId: string, subject: string, type: string, ordinal = 1): string {
  const part = subject.startsWith(`${orderId}:`) ? subject.slice(orderId.length + 1) : subject;
  return `${orderId}/${part}/${type}/${ordinal}`;
}
