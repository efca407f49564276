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
