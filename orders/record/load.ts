import { sql } from 'kysely';
import { partOf, selectPart, without } from '../../database/columns.ts';
import type { ColumnList } from '../../database/columns.ts';
import type { Database } from '../../database/database.ts';
import { OmsError } from '../../domain/errors.ts';
import { FULFILLMENTS, INVOICES, ORDERS, PAYMENTS, SHIPMENTS } from './columns.ts';
import type { CreditNoteRecord, FulfillmentItemRecord, FulfillmentRecord, OrderRecord } from './record.ts';

const HEAD = without(ORDERS, 'run_id');
const PART = without(FULFILLMENTS, 'order_id', 'n', 'round');
const INVOICE = without(INVOICES, 'fulfillment_id', 'order_id', 'customer_id', 'currency', 'lines', 'pricing');
const PAYMENT = without(PAYMENTS, 'order_id', 'currency');
const SHIPMENT = without(SHIPMENTS, 'order_id');
const SELECTED = {
  head: selectPart(HEAD, 'o'),
  part: selectPart(PART, 'f'),
  invoice: selectPart(INVOICE, 'inv'),
  payment: selectPart(PAYMENT, 'p'),
  shipment: selectPart(SHIPMENT, 's'),
};

type Row = Record<string, unknown> & { now: Date; items: ItemTuple[] | null; credit_notes: NoteTuple[] | null };

/** The order with all its parts as of one moment; null when it is unknown. One statement, no lock. */
export async function readOrder(db: Database, orderId: string): Promise<OrderRecord | null> {
  const { rows } = await sql<Row>`
    select ${SELECTED.head}, clock_timestamp() as now, ${SELECTED.part},
      (select json_agg(json_build_array(i.line, i.sku, i.quantity, i.unit_price) order by i.line)
        from fulfillment_items i where i.fulfillment_id = f.fulfillment_id) as items,
      ${SELECTED.invoice},
      (select json_agg(json_build_array(c.credit_note_id, c.series, c.number, c.sub_total, c.tax, c.shipping, c.total,
          c.reason, (extract(epoch from c.issued_at) * 1000)::bigint, c.refunded, (extract(epoch from c.settled_at) * 1000)::bigint) order by c.number)
        from credit_notes c where c.fulfillment_id = f.fulfillment_id) as credit_notes,
      ${SELECTED.payment}, ${SELECTED.shipment}
    from orders o
    left join fulfillments f on f.order_id = o.order_id
    left join invoices inv on inv.fulfillment_id = f.fulfillment_id
    left join payments p on p.fulfillment_id = f.fulfillment_id
    left join shipments s on s.shipment_id = f.fulfillment_id
    where o.order_id = ${orderId} order by f.n
  `.execute(db);
  const [first] = rows;
  const head = first && partOf(HEAD, first);
  if (!head) return null;
  return { ...headFrom(head, first.now), fulfillments: rows.flatMap(fulfillmentFrom) };
}

/** @throws OmsError OMS_ORDER_UNKNOWN */
export async function existingOrder(db: Database, orderId: string): Promise<OrderRecord> {
  const order = await readOrder(db, orderId);
  if (order) return order;
  throw new OmsError('OMS_ORDER_UNKNOWN', `no order ${orderId}`);
}

type Selected<L> = L extends ColumnList<infer T, infer C> ? NonNullable<ReturnType<typeof partOf<T, C>>> : never;

function headFrom(row: Selected<typeof HEAD>, now: Date): Omit<OrderRecord, 'fulfillments'> {
  const { source, currency, status, reason, overdue, version, sequences } = row;
  return {
    orderId: row.order_id,
    source,
    customerId: row.customer_id,
    currency,
    shipTo: row.ship_to,
    status,
    reason,
    placedAt: row.placed_at.getTime(),
    receivedAt: row.received_at.getTime(),
    closedAt: row.closed_at?.getTime() ?? null,
    overdue,
    version,
    sequences,
    now: now.getTime(),
    askedAt: performance.now(),
  };
}

/** Id, series, number, the four amounts, reason, issued (ms), refunded, settled (ms). */
type NoteTuple = [string, string, number, number, number, number, number, string, number, number, number | null];
/** Line, SKU, quantity, unit price. */
type ItemTuple = [number, string, number, number | null];

/** None on an order without fulfillments. */
function fulfillmentFrom(row: Row): FulfillmentRecord[] {
  const part = partOf(PART, row);
  if (!part) return [];
  const { fulfillment_id: id, warehouse, holds_stock: holdsStock, status, reason } = part;
  const parts = {
    invoice: invoiceFrom(partOf(INVOICE, row)),
    payment: paymentFrom(partOf(PAYMENT, row)),
    shipment: shipmentFrom(partOf(SHIPMENT, row)),
  };
  const items = (row.items ?? []).map(itemFrom);
  const creditNotes = (row.credit_notes ?? []).map(creditNoteFrom);
  return [{ id, warehouse, holdsStock, status, reason, items, creditNotes, ...parts }];
}

function itemFrom([line, sku, quantity, unitPrice]: ItemTuple): FulfillmentItemRecord {
  return { line, sku, quantity, unitPrice };
}

function invoiceFrom(row: Selected<typeof INVOICE> | null): FulfillmentRecord['invoice'] {
  if (!row) return null;
  const { series, number, tax, shipping, total } = row;
  const issuedAt = row.issued_at.getTime();
  return { invoiceId: row.invoice_id, series, number, subTotal: row.sub_total, tax, shipping, total, issuedAt };
}

function creditNoteFrom(row: NoteTuple): CreditNoteRecord {
  const [creditNoteId, series, number, subTotal, tax, shipping, total, reason, issuedAt, refunded, settledAt] = row;
  return { creditNoteId, series, number, subTotal, tax, shipping, total, reason, issuedAt, refunded, settledAt };
}

function paymentFrom(row: Selected<typeof PAYMENT> | null): FulfillmentRecord['payment'] {
  if (!row) return null;
  const { mode, amount, captured, reference, refunded } = row;
  return {
    status: row.status,
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

function shipmentFrom(row: Selected<typeof SHIPMENT> | null): FulfillmentRecord['shipment'] {
  if (!row) return null;
  return {
    status: row.status,
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
