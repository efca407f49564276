import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import { rowsOf } from '../../../database/database.ts';
import type { Database } from '../../../database/database.ts';
import type { PlacedOrder } from '../../../domain/order.ts';
import type { FulfillmentRecord, OrderRecord } from '../../../orders/record/record.ts';

/** An order to be written down as it was told; without its placing where that is not on its topic any more. */
export interface RebuiltOrder {
  order: OrderRecord;
  placed: PlacedOrder | null;
}

type Part = FulfillmentRecord & { orderId: string; n: number; customerId: string; currency: string };

const numberOf = (fulfillmentId: string): number => Number(fulfillmentId.slice(fulfillmentId.lastIndexOf(':') + 1));

const time = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

/** The run of an order that none has taken yet since the rebuild. */
const NO_RUN = 'rebuilt';

/** Writes orders with all their parts; those that are there already stay as they are. */
export async function insertRebuilt(tx: Database, rebuilt: readonly RebuiltOrder[]): Promise<void> {
  const parts = rebuilt.flatMap(({ order }) => {
    const { orderId, customerId, currency } = order;
    return order.fulfillments.map((f): Part => ({ ...f, orderId, n: numberOf(f.id), customerId, currency }));
  });
  // One after the other: what refers to another table's rows comes behind them.
  for (const statement of [
    insertOrders(rebuilt.map(({ order }) => order)),
    insertItems(rebuilt),
    insertFulfillments(parts),
    insertFulfillmentItems(parts),
    insertInvoices(parts),
    insertCreditNotes(parts),
    insertPayments(parts),
    insertShipments(parts),
  ])
    await sql`${statement} on conflict do nothing`.execute(tx);
}

function insertOrders(orders: readonly OrderRecord[]): RawBuilder<unknown> {
  const rows = orders.map((order) => ({
    ...order,
    placedAt: time(order.placedAt),
    receivedAt: time(order.receivedAt),
    closedAt: time(order.closedAt),
  }));
  const columns = `"orderId" text, source text, "customerId" text, currency text, "shipTo" jsonb, status text, reason text,
    "placedAt" timestamptz, "receivedAt" timestamptz, "closedAt" timestamptz, overdue text, version bigint, sequences jsonb`;
  return sql`insert into orders (order_id, run_id, source, customer_id, currency, ship_to, status, reason, placed_at,
      received_at, closed_at, overdue, version, sequences, rebuilt_at)
    select r."orderId", ${NO_RUN}, r.source, r."customerId", r.currency, r."shipTo", r.status, r.reason, r."placedAt",
      r."receivedAt", r."closedAt", r.overdue, r.version, r.sequences, now() from ${rowsOf(rows, columns)}`;
}

function insertItems(rebuilt: readonly RebuiltOrder[]): RawBuilder<unknown> {
  const rows = rebuilt.flatMap(({ order, placed }) => {
    const { orderId, receivedAt } = order;
    return (placed?.items ?? []).map((item, i) => ({ orderId, receivedAt: time(receivedAt), line: i + 1, ...item }));
  });
  const columns = `"orderId" text, line int, sku text, quantity int, "unitPrice" bigint, description text,
    "receivedAt" timestamptz`;
  return sql`insert into order_items (order_id, line, sku, quantity, unit_price, description, received_at)
    select r."orderId", r.line, r.sku, r.quantity, r."unitPrice", r.description, r."receivedAt"
    from ${rowsOf(rows, columns)}`;
}

function insertFulfillments(parts: readonly Part[]): RawBuilder<unknown> {
  const rows = parts.map(({ id, orderId, n, warehouse, holdsStock, status }) => ({
    ...{ id, orderId, n, warehouse, holdsStock, status },
  }));
  const columns = 'id text, "orderId" text, n int, warehouse text, "holdsStock" boolean, status text';
  return sql`insert into fulfillments (fulfillment_id, order_id, n, round, warehouse, holds_stock, status)
    select r.id, r."orderId", r.n, 1, r.warehouse, r."holdsStock", r.status from ${rowsOf(rows, columns)}`;
}

function insertFulfillmentItems(parts: readonly Part[]): RawBuilder<unknown> {
  const rows = parts.flatMap(({ id, items }) => items.map((item) => ({ id, ...item })));
  return sql`insert into fulfillment_items (fulfillment_id, line, sku, quantity, unit_price)
    select r.id, r.line, r.sku, r.quantity, r."unitPrice"
    from ${rowsOf(rows, 'id text, line int, sku text, quantity int, "unitPrice" bigint')}`;
}

const DOCUMENT = `series text, number bigint, id text, "orderId" text, "customerId" text, currency text, "subTotal" bigint,
  tax bigint, shipping bigint, total bigint, lines jsonb, "issuedAt" timestamptz`;
const DOCUMENT_VALUES = sql`r.series, r.number, r.id, r."orderId", r."customerId", r.currency, r."subTotal", r.tax,
  r.shipping, r.total, r.lines, r."issuedAt"`;
const DOCUMENT_COLUMNS = sql`series, number, fulfillment_id, order_id, customer_id, currency, sub_total, tax, shipping,
  total, lines, issued_at`;

function insertInvoices(parts: readonly Part[]): RawBuilder<unknown> {
  const rows = parts.flatMap(({ id, orderId, customerId, currency, invoice }) =>
    invoice
      ? [{ ...invoice, ...invoice.drawn, id, orderId, customerId, currency, issuedAt: time(invoice.issuedAt) }]
      : [],
  );
  return sql`insert into invoices (invoice_id, ${DOCUMENT_COLUMNS}, pricing)
    select r."invoiceId", ${DOCUMENT_VALUES}, r.pricing from ${rowsOf(rows, `${DOCUMENT}, "invoiceId" text, pricing jsonb`)}`;
}

function insertCreditNotes(parts: readonly Part[]): RawBuilder<unknown> {
  const rows = parts.flatMap(({ id, orderId, customerId, currency, invoice, creditNotes }) =>
    creditNotes.map((note) => ({
      ...{ ...note, ...note.drawn, id, orderId, customerId, currency, invoiceId: invoice?.invoiceId },
      ...{ issuedAt: time(note.issuedAt), settledAt: time(note.settledAt) },
    })),
  );
  const columns = `${DOCUMENT}, "creditNoteId" text, "invoiceId" text, reason text, refunded bigint, "settledAt" timestamptz`;
  return sql`insert into credit_notes (credit_note_id, invoice_id, ${DOCUMENT_COLUMNS}, reason, refunded, settled_at)
    select r."creditNoteId", r."invoiceId", ${DOCUMENT_VALUES}, r.reason, r.refunded, r."settledAt"
    from ${rowsOf(rows, columns)}`;
}

function insertPayments(parts: readonly Part[]): RawBuilder<unknown> {
  const rows = parts.flatMap(({ id, orderId, currency, payment }) =>
    payment ? [{ ...payment, id, orderId, currency, settledAt: time(payment.settledAt) }] : [],
  );
  const columns = `id text, "orderId" text, status text, mode text, currency text, amount bigint, captured bigint,
    reference text, "authCode" text, "declineReason" text, refunded bigint, "settledAt" timestamptz`;
  return sql`insert into payments (fulfillment_id, order_id, status, mode, currency, amount, captured, reference,
      auth_code, decline_reason, refunded, settled_at)
    select r.id, r."orderId", r.status, r.mode, r.currency, r.amount, r.captured, r.reference, r."authCode",
      r."declineReason", r.refunded, r."settledAt" from ${rowsOf(rows, columns)}`;
}

function insertShipments(parts: readonly Part[]): RawBuilder<unknown> {
  const rows = parts.flatMap(({ id, orderId, shipment }) =>
    shipment
      ? [
          {
            ...{ ...shipment, id, orderId, bookedAt: time(shipment.bookedAt) },
            ...{ dispatchedAt: time(shipment.dispatchedAt), endedAt: time(shipment.endedAt) },
          },
        ]
      : [],
  );
  const columns = `id text, "orderId" text, status text, carrier text, "bookingReference" text, "trackingNumber" text,
    "failedAttempts" int, "bookedAt" timestamptz, "dispatchedAt" timestamptz, "endedAt" timestamptz`;
  return sql`insert into shipments (shipment_id, order_id, status, carrier, booking_reference, tracking_number,
      failed_attempts, booked_at, dispatched_at, ended_at)
    select r.id, r."orderId", r.status, r.carrier, r."bookingReference", r."trackingNumber", r."failedAttempts",
      r."bookedAt", r."dispatchedAt", r."endedAt" from ${rowsOf(rows, columns)}`;
}
