import { columnList } from '../../database/columns.ts';
import type { PlainRow } from '../../database/columns.ts';
import { orderIdOf } from '../../domain/ids.ts';
import type { OrderItem } from '../../domain/order.ts';
import type { CreditNoteRecord, FulfillmentRecord, InvoiceRecord, OrderRecord } from './record.ts';

/** The columns of an order's tables, and its parts as rows of them. A step, the first of an order and `oms rebuild` write them. */
export const ORDERS = columnList('orders', {
  order_id: 'text',
  run_id: 'text',
  source: 'text',
  customer_id: 'text',
  currency: 'text',
  ship_to: 'jsonb',
  status: 'text',
  reason: 'text',
  placed_at: 'timestamptz',
  received_at: 'timestamptz',
  closed_at: 'timestamptz',
  overdue: 'text',
  version: 'bigint',
  sequences: 'jsonb',
});

export const ORDER_ITEMS = columnList('order_items', {
  order_id: 'text',
  line: 'int',
  sku: 'text',
  quantity: 'int',
  unit_price: 'bigint',
  description: 'text',
  received_at: 'timestamptz',
});

export const FULFILLMENTS = columnList('fulfillments', {
  fulfillment_id: 'text',
  order_id: 'text',
  n: 'int',
  round: 'int',
  warehouse: 'text',
  holds_stock: 'boolean',
  status: 'text',
  reason: 'text',
});

export const FULFILLMENT_ITEMS = columnList('fulfillment_items', {
  fulfillment_id: 'text',
  line: 'int',
  sku: 'text',
  quantity: 'int',
  unit_price: 'bigint',
});

const DOCUMENT = {
  series: 'text',
  number: 'bigint',
  fulfillment_id: 'text',
  order_id: 'text',
  customer_id: 'text',
  currency: 'text',
  sub_total: 'bigint',
  tax: 'bigint',
  shipping: 'bigint',
  total: 'bigint',
  lines: 'jsonb',
  issued_at: 'timestamptz',
} as const;

export const INVOICES = columnList('invoices', { invoice_id: 'text', ...DOCUMENT, pricing: 'jsonb' });

export const CREDIT_NOTE_ROWS = columnList('credit_notes', {
  credit_note_id: 'text',
  invoice_id: 'text',
  ...DOCUMENT,
  reason: 'text',
  refunded: 'bigint',
  settled_at: 'timestamptz',
});

export const PAYMENTS = columnList('payments', {
  fulfillment_id: 'text',
  order_id: 'text',
  status: 'text',
  mode: 'text',
  currency: 'text',
  amount: 'bigint',
  captured: 'bigint',
  reference: 'text',
  auth_code: 'text',
  decline_reason: 'text',
  refunded: 'bigint',
  settled_at: 'timestamptz',
});

export const SHIPMENTS = columnList('shipments', {
  shipment_id: 'text',
  order_id: 'text',
  status: 'text',
  carrier: 'text',
  booking_reference: 'text',
  tracking_number: 'text',
  service: 'text',
  quoted_price: 'bigint',
  failed_attempts: 'int',
  booked_at: 'timestamptz',
  dispatched_at: 'timestamptz',
  ended_at: 'timestamptz',
});

const at = (ms: number): string => new Date(ms).toISOString();
/** ISO 8601, for a statement. */
export const time = (ms: number | null): string | null => (ms === null ? null : at(ms));

export function orderRow(order: OrderRecord, runId: string): PlainRow<typeof ORDERS> {
  const { orderId, source, customerId, currency, shipTo, status, reason, overdue, version, sequences } = order;
  return {
    ...{ order_id: orderId, run_id: runId, source, customer_id: customerId, currency, ship_to: shipTo },
    ...{ status, reason, overdue, version, sequences },
    ...{ placed_at: at(order.placedAt), received_at: at(order.receivedAt), closed_at: time(order.closedAt) },
  };
}

/** All lines of an order as they were placed. */
export function itemRows(order: OrderRecord, items: readonly OrderItem[]): PlainRow<typeof ORDER_ITEMS>[] {
  const whose = { order_id: order.orderId, received_at: at(order.receivedAt) };
  return items.map(({ sku, quantity, unitPrice, description }, i) => ({
    ...{ ...whose, line: i + 1, sku, quantity, unit_price: unitPrice, description },
  }));
}

/** Amendments will reserve in rounds of their own; taking an order is the first. */
export const FIRST_ROUND = 1;

export function fulfillmentRow(f: FulfillmentRecord): PlainRow<typeof FULFILLMENTS> {
  const order_id = orderIdOf(f.id);
  const n = Number(f.id.slice(order_id.length + 1));
  const { id, warehouse, holdsStock, status, reason } = f;
  return { fulfillment_id: id, order_id, n, round: FIRST_ROUND, warehouse, holds_stock: holdsStock, status, reason };
}

export function fulfillmentItemRows({ id, items }: FulfillmentRecord): PlainRow<typeof FULFILLMENT_ITEMS>[] {
  return items.map(({ line, sku, quantity, unitPrice }) => ({
    ...{ fulfillment_id: id, line, sku, quantity, unit_price: unitPrice },
  }));
}

/** The lines and all else that only a document has which was drawn in this step: it is written in that step alone. */
function drawnOf<T>({ drawn }: { drawn?: T }): T {
  if (drawn) return drawn;
  throw new Error('an invoice or a credit note is written only in the step that has drawn it');
}

function documentRow(order: OrderRecord, f: FulfillmentRecord, document: InvoiceRecord | CreditNoteRecord) {
  const { series, number, subTotal, tax, shipping, total, issuedAt } = document;
  const whose = { fulfillment_id: f.id, order_id: order.orderId, customer_id: order.customerId };
  const amounts = { currency: order.currency, sub_total: subTotal, tax, shipping, total };
  return { series, number, ...whose, ...amounts, issued_at: at(issuedAt) };
}

/** The invoice of a fulfillment, none or one. */
export function invoiceRows(order: OrderRecord, f: FulfillmentRecord): PlainRow<typeof INVOICES>[] {
  const { invoice } = f;
  if (!invoice) return [];
  return [{ invoice_id: invoice.invoiceId, ...documentRow(order, f, invoice), ...drawnOf(invoice) }];
}

export function creditNoteRow(
  order: OrderRecord,
  f: FulfillmentRecord,
  note: CreditNoteRecord,
): PlainRow<typeof CREDIT_NOTE_ROWS> {
  const { creditNoteId, reason, refunded, settledAt } = note;
  const named = { credit_note_id: creditNoteId, invoice_id: f.invoice?.invoiceId ?? '' };
  return { ...named, ...documentRow(order, f, note), ...drawnOf(note), reason, refunded, settled_at: time(settledAt) };
}

/** The payment of a fulfillment, none or one. */
export function paymentRows(order: OrderRecord, { id, payment }: FulfillmentRecord): PlainRow<typeof PAYMENTS>[] {
  if (!payment) return [];
  const { status, mode, amount, captured, reference, authCode, declineReason, refunded, settledAt } = payment;
  return [
    {
      ...{ fulfillment_id: id, order_id: order.orderId, status, mode, currency: order.currency, amount, captured },
      ...{ reference, auth_code: authCode, decline_reason: declineReason, refunded, settled_at: time(settledAt) },
    },
  ];
}

/** The shipment of a fulfillment, none or one. */
export function shipmentRows({ id, shipment }: FulfillmentRecord): PlainRow<typeof SHIPMENTS>[] {
  if (!shipment) return [];
  const { status, carrier, bookingReference, trackingNumber, service, quotedPrice, failedAttempts } = shipment;
  return [
    {
      ...{ shipment_id: id, order_id: orderIdOf(id), status, carrier, booking_reference: bookingReference },
      ...{ tracking_number: trackingNumber, service, quoted_price: quotedPrice, failed_attempts: failedAttempts },
      ...{ booked_at: time(shipment.bookedAt), dispatched_at: time(shipment.dispatchedAt) },
      ended_at: time(shipment.endedAt),
    },
  ];
}
