import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import { OmsError } from '../../domain/errors.ts';
import type { Overdue } from '../../domain/lifecycle.ts';
import type { PaymentMode } from '../../domain/money.ts';
import type { Address } from '../../domain/order.ts';
import type { FulfillmentStatus, OrderStatus, PaymentStatus, ShipmentStatus } from '../../domain/status.ts';
import type { CreditNoteRecord, FulfillmentItemRecord, FulfillmentRecord, OrderRecord } from './record.ts';

/** The order with all its parts as of one moment; null when it is unknown. One statement, no lock. */
export async function readOrder(db: Database, orderId: string): Promise<OrderRecord | null> {
  const { rows } = await sql<HeadRow & PartsRow>`
    select o.source, o.customer_id, o.currency, o.ship_to, o.status, o.reason, o.placed_at, o.received_at, o.closed_at, o.overdue,
      o.version, o.sequences, clock_timestamp() as now,
      f.fulfillment_id, f.warehouse, f.holds_stock, f.status as fulfillment_status, f.reason as fulfillment_reason,
      (select json_agg(json_build_array(i.line, i.sku, i.quantity, i.unit_price) order by i.line)
        from fulfillment_items i where i.fulfillment_id = f.fulfillment_id) as items,
      inv.invoice_id, inv.series, inv.number, inv.sub_total, inv.tax, inv.shipping, inv.total, inv.issued_at,
      (select json_agg(json_build_array(c.credit_note_id, c.series, c.number, c.sub_total, c.tax, c.shipping, c.total,
          c.reason, (extract(epoch from c.issued_at) * 1000)::bigint, c.refunded, (extract(epoch from c.settled_at) * 1000)::bigint) order by c.number)
        from credit_notes c where c.fulfillment_id = f.fulfillment_id) as credit_notes,
      p.status as payment_status, p.mode, p.captured, p.amount, p.reference, p.auth_code, p.decline_reason,
      p.refunded, p.settled_at,
      s.status as shipment_status, s.carrier, s.booking_reference, s.tracking_number, s.service, s.quoted_price,
      s.failed_attempts, s.booked_at, s.dispatched_at, s.ended_at
    from orders o
    left join fulfillments f on f.order_id = o.order_id
    left join invoices inv on inv.fulfillment_id = f.fulfillment_id
    left join payments p on p.fulfillment_id = f.fulfillment_id
    left join shipments s on s.shipment_id = f.fulfillment_id
    where o.order_id = ${orderId} order by f.n
  `.execute(db);
  const head = rows[0];
  if (!head) return null;
  return { ...headFrom(orderId, head), fulfillments: rows.flatMap(fulfillmentFrom) };
}

/** @throws OmsError OMS_ORDER_UNKNOWN */
export async function existingOrder(db: Database, orderId: string): Promise<OrderRecord> {
  const order = await readOrder(db, orderId);
  if (order) return order;
  throw new OmsError('OMS_ORDER_UNKNOWN', `no order ${orderId}`);
}

interface HeadRow {
  source: string;
  customer_id: string;
  currency: string;
  ship_to: Address | null;
  status: OrderStatus;
  reason: string | null;
  placed_at: Date;
  received_at: Date;
  closed_at: Date | null;
  overdue: Overdue | null;
  version: number;
  sequences: Record<string, number>;
  now: Date;
}

function headFrom(orderId: string, row: HeadRow): Omit<OrderRecord, 'fulfillments'> {
  return {
    orderId,
    source: row.source,
    customerId: row.customer_id,
    currency: row.currency,
    shipTo: row.ship_to,
    status: row.status,
    reason: row.reason,
    placedAt: row.placed_at.getTime(),
    receivedAt: row.received_at.getTime(),
    closedAt: row.closed_at?.getTime() ?? null,
    overdue: row.overdue,
    version: row.version,
    sequences: row.sequences,
    now: row.now.getTime(),
    askedAt: performance.now(),
  };
}

/** Id, series, number, the four amounts, reason, issued (ms), refunded, settled (ms). */
type NoteTuple = [string, string, number, number, number, number, number, string, number, number, number | null];
/** Line, SKU, quantity, unit price. */
type ItemTuple = [number, string, number, number | null];

interface PartsRow {
  /** Null on an order without fulfillments. */
  fulfillment_id: string | null;
  warehouse: string | null;
  holds_stock: boolean;
  fulfillment_status: FulfillmentStatus;
  fulfillment_reason: string | null;
  items: ItemTuple[] | null;
  invoice_id: string | null;
  series: string;
  number: number;
  sub_total: number;
  tax: number;
  shipping: number;
  total: number;
  issued_at: Date;
  credit_notes: NoteTuple[] | null;
  payment_status: PaymentStatus | null;
  mode: PaymentMode;
  captured: number;
  amount: number;
  reference: string | null;
  auth_code: string | null;
  decline_reason: string | null;
  refunded: number;
  settled_at: Date | null;
  shipment_status: ShipmentStatus | null;
  carrier: string | null;
  booking_reference: string | null;
  tracking_number: string | null;
  service: string | null;
  quoted_price: number | null;
  failed_attempts: number;
  booked_at: Date | null;
  dispatched_at: Date | null;
  ended_at: Date | null;
}

function fulfillmentFrom(row: PartsRow): FulfillmentRecord[] {
  const { fulfillment_id: id, warehouse, holds_stock: holdsStock } = row;
  const { fulfillment_status: status, fulfillment_reason: reason } = row;
  if (id === null) return [];
  const parts = { invoice: invoiceFrom(row), payment: paymentFrom(row), shipment: shipmentFrom(row) };
  const items = (row.items ?? []).map(itemFrom);
  const creditNotes = (row.credit_notes ?? []).map(creditNoteFrom);
  return [{ id, warehouse, holdsStock, status, reason, items, creditNotes, ...parts }];
}

function itemFrom([line, sku, quantity, unitPrice]: ItemTuple): FulfillmentItemRecord {
  return { line, sku, quantity, unitPrice };
}

function invoiceFrom(row: PartsRow): FulfillmentRecord['invoice'] {
  if (row.invoice_id === null) return null;
  const { series, number, tax, shipping, total } = row;
  const issuedAt = row.issued_at.getTime();
  return { invoiceId: row.invoice_id, series, number, subTotal: row.sub_total, tax, shipping, total, issuedAt };
}

function creditNoteFrom(row: NoteTuple): CreditNoteRecord {
  const [creditNoteId, series, number, subTotal, tax, shipping, total, reason, issuedAt, refunded, settledAt] = row;
  return { creditNoteId, series, number, subTotal, tax, shipping, total, reason, issuedAt, refunded, settledAt };
}

function paymentFrom(row: PartsRow): FulfillmentRecord['payment'] {
  if (row.payment_status === null) return null;
  const { mode, amount, captured, reference, refunded } = row;
  return {
    status: row.payment_status,
    mode,
    amount,
    captured,
    reference,
    authCode: row.auth_code,
    declineReason: row.decline_reason,
    refunded,
    settledAt: row.settled_at?.getTime() ?? null,
  };
}

function shipmentFrom(row: PartsRow): FulfillmentRecord['shipment'] {
  if (row.shipment_status === null) return null;
  return {
    status: row.shipment_status,
    carrier: row.carrier,
    bookingReference: row.booking_reference,
    trackingNumber: row.tracking_number,
    service: row.service,
    quotedPrice: row.quoted_price,
    failedAttempts: row.failed_attempts,
    bookedAt: row.booked_at?.getTime() ?? null,
    dispatchedAt: row.dispatched_at?.getTime() ?? null,
    endedAt: row.ended_at?.getTime() ?? null,
  };
}
