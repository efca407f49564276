import type { NewEvent } from '../database/outbox/outbox.ts';
import { EVENT_TYPES, ORDER_SUBJECT, outgoingEventId } from '../domain/ids.ts';
import type { EventTypeOf } from '../domain/ids.ts';
import type { CreditNoteRecord, FulfillmentRecord, InvoiceRecord, OrderRecord } from './record/record.ts';

/** What an event says beside what the order's record says already. */
interface Words {
  cause: string;
  reason?: string | null;
}

type ShipmentFact = EventTypeOf<'shipment'>;
type InvoiceFact = EventTypeOf<'invoice'>;
type CreditFact = EventTypeOf<'creditNote'>;
type DeliveryFact = EventTypeOf<'delivery'>;

const [ORDER_STATUS] = EVENT_TYPES.order;

const quantities = (fulfillment: FulfillmentRecord): { sku: string; quantity: number }[] =>
  fulfillment.items.map(({ sku, quantity }) => ({ sku, quantity }));

/** An event about a shipment on its way out, as the shipment now stands. */
export function shipmentEvent(
  order: OrderRecord,
  f: FulfillmentRecord,
  type: ShipmentFact,
  words: Words & { ordinal?: number },
): NewEvent {
  return {
    topic: 'shipments',
    eventId: outgoingEventId(order.orderId, f.id, type, words.ordinal),
    type,
    cause: words.cause,
    fields: {
      type,
      shipmentId: f.id,
      status: f.shipment?.status ?? 'pending',
      warehouse: f.warehouse ?? '',
      items: quantities(f),
      carrier: f.shipment?.carrier ?? null,
      bookingReference: f.shipment?.bookingReference ?? null,
      trackingNumber: f.shipment?.trackingNumber ?? null,
      reason: words.reason ?? null,
    },
  };
}

/** An event about an invoice or the money for it. The lines go with `InvoiceIssued` only. */
export function invoiceEvent(
  order: OrderRecord,
  f: FulfillmentRecord,
  invoice: InvoiceRecord,
  type: InvoiceFact,
  words: Words & { amount?: number },
): NewEvent {
  const { invoiceId, subTotal, tax, shipping, total } = invoice;
  return {
    topic: 'invoices',
    eventId: outgoingEventId(order.orderId, f.id, type),
    type,
    cause: words.cause,
    fields: {
      type,
      invoiceId,
      fulfillmentId: f.id,
      customerId: order.customerId,
      currency: order.currency,
      subTotal,
      tax,
      shipping,
      total,
      lines: type === 'InvoiceIssued' ? (invoice.drawn?.lines ?? []) : [],
      paymentReference: f.payment?.reference ?? null,
      authCode: f.payment?.authCode ?? null,
      creditNoteId: null,
      reason: words.reason ?? null,
      amount: words.amount ?? null,
    },
  };
}

/** An event about a credit note of an invoice: the amounts, and on `CreditNoteIssued` the lines, are the note's. */
export function creditNoteEvent(
  order: OrderRecord,
  f: FulfillmentRecord,
  { invoice, note, type }: { invoice: InvoiceRecord; note: CreditNoteRecord; type: CreditFact },
  words: Words,
): NewEvent {
  const { creditNoteId, subTotal, tax, shipping, total, reason } = note;
  const about = invoiceEvent(order, f, invoice, 'InvoiceIssued', words);
  const amount = type === 'InvoiceRefunded' ? note.refunded : null;
  const lines = type === 'CreditNoteIssued' ? (note.drawn?.lines ?? []) : [];
  const amounts = { subTotal, tax, shipping, total, lines, amount };
  return {
    ...about,
    type,
    eventId: outgoingEventId(order.orderId, f.id, type, f.creditNotes.indexOf(note) + 1),
    fields: { ...about.fields, type, ...amounts, creditNoteId, reason },
  };
}

/** An event about an attempt to deliver, or the end of them. `ordinal` counts those of the type. */
export function deliveryEvent(
  order: OrderRecord,
  f: FulfillmentRecord,
  type: DeliveryFact,
  words: Words & { carrierTime: number; ordinal?: number },
): NewEvent {
  return {
    topic: 'deliveries',
    eventId: outgoingEventId(order.orderId, f.id, type, words.ordinal),
    type,
    cause: words.cause,
    fields: {
      type,
      shipmentId: f.id,
      carrier: f.shipment?.carrier ?? null,
      trackingNumber: f.shipment?.trackingNumber ?? null,
      reason: words.reason ?? null,
      carrierTime: words.carrierTime,
    },
  };
}

/** The whole order as it now stands. */
export function orderStatusEvent(order: OrderRecord, cause: string): NewEvent {
  // Its place among the order's status events is what tells one apart from the next.
  const ordinal = (order.sequences['order-status'] ?? 0) + 1;
  return {
    topic: 'order-status',
    eventId: outgoingEventId(order.orderId, ORDER_SUBJECT, ORDER_STATUS, ordinal),
    type: ORDER_STATUS,
    cause,
    fields: {
      status: order.status,
      reason: order.reason,
      source: order.source,
      customerId: order.customerId,
      currency: order.currency,
      placedAt: order.placedAt,
      receivedAt: order.receivedAt,
      closedAt: order.closedAt,
      overdue: order.overdue,
      fulfillments: order.fulfillments.map((f) => ({
        id: f.id,
        warehouse: f.warehouse,
        status: f.status,
        items: quantities(f),
        payment: paymentShown(f),
        invoiceId: f.invoice?.invoiceId ?? null,
        invoicedAt: f.invoice?.issuedAt ?? null,
        creditNotes: f.creditNotes.map(creditNoteShown),
        shipmentStatus: f.shipment?.status ?? null,
        trackingNumber: f.shipment?.trackingNumber ?? null,
      })),
    },
  };
}

function paymentShown({ invoice, payment }: FulfillmentRecord): Record<string, unknown> | null {
  if (!invoice || !payment) return null;
  const { subTotal, tax, shipping, total } = invoice;
  const { status, captured, refunded } = payment;
  return { status, subTotal, tax, shipping, total, captured, refunded };
}

/** Without its lines. */
function creditNoteShown(note: CreditNoteRecord): Record<string, unknown> {
  const { creditNoteId, issuedAt, reason, subTotal, tax, shipping, total, refunded, settledAt } = note;
  return { creditNoteId, issuedAt, reason, subTotal, tax, shipping, total, refunded, settledAt };
}
