import { sql } from 'kysely';
import { insertRows } from '../../../database/columns.ts';
import type { Database } from '../../../database/database.ts';
import type { PlacedOrder } from '../../../domain/order.ts';
import {
  CREDIT_NOTE_ROWS,
  FULFILLMENTS,
  FULFILLMENT_ITEMS,
  INVOICES,
  ORDERS,
  ORDER_ITEMS,
  PAYMENTS,
  SHIPMENTS,
  creditNoteRow,
  fulfillmentItemRows,
  fulfillmentRow,
  invoiceRows,
  itemRows,
  orderRow,
  paymentRows,
  shipmentRows,
} from '../../../orders/record/columns.ts';
import type { FulfillmentRecord, OrderRecord } from '../../../orders/record/record.ts';

/** An order to be written down as it was told; without its placing where that is not on its topic any more. */
export interface RebuiltOrder {
  order: OrderRecord;
  placed: PlacedOrder | null;
}

/** The run of an order that none has taken yet since the rebuild. */
const NO_RUN = 'rebuilt';

/** Writes orders with all their parts; those that are there already stay as they are. */
export async function insertRebuilt(tx: Database, rebuilt: readonly RebuiltOrder[]): Promise<void> {
  const orders = rebuilt.map(({ order }) => orderRow(order, NO_RUN));
  const items = rebuilt.flatMap(({ order, placed }) => itemRows(order, placed?.items ?? []));
  const parts = rebuilt.flatMap(({ order }) => order.fulfillments.map((f) => ({ order, f })));
  const each = <R>(rowsOf: (order: OrderRecord, f: FulfillmentRecord) => R[]): R[] =>
    parts.flatMap(({ order, f }) => rowsOf(order, f));
  // One after the other: what refers to another table's rows comes behind them.
  for (const statement of [
    insertRows(ORDERS, orders, { rebuilt_at: sql`now()` }),
    insertRows(ORDER_ITEMS, items),
    insertRows(
      FULFILLMENTS,
      each((_, f) => [fulfillmentRow(f)]),
    ),
    insertRows(
      FULFILLMENT_ITEMS,
      each((_, f) => fulfillmentItemRows(f)),
    ),
    insertRows(INVOICES, each(invoiceRows)),
    insertRows(
      CREDIT_NOTE_ROWS,
      each((order, f) => f.creditNotes.map((note) => creditNoteRow(order, f, note))),
    ),
    insertRows(PAYMENTS, each(paymentRows)),
    insertRows(
      SHIPMENTS,
      each((_, f) => shipmentRows(f)),
    ),
  ])
    await sql`${statement} on conflict do nothing`.execute(tx);
}

/** Parts before what they are parts of. */
const OF_ORDERS = ['credit_notes', 'invoices', 'payments', 'shipments'] as const;

/**
 * Takes the state of orders away that more was told of than it knows, so that it can be written anew. What they took off
 * their shelves is put back for the moment.
 */
export async function forgetState(tx: Database, orderIds: readonly string[]): Promise<void> {
  const ids = sql`${[...orderIds]}::text[]`;
  await moveDispatched(tx, orderIds, 1);
  for (const table of OF_ORDERS) await sql`delete from ${sql.table(table)} where order_id = any(${ids})`.execute(tx);
  await sql`
    delete from fulfillment_items i using fulfillments f where i.fulfillment_id = f.fulfillment_id and f.order_id = any(${ids})
  `.execute(tx);
  for (const table of ['fulfillments', 'order_items', 'orders'])
    await sql`delete from ${sql.table(table)} where order_id = any(${ids})`.execute(tx);
}

/** What these orders have taken off their shelves, and not brought back, is taken off what a backup has counted there. */
export async function takeDispatched(tx: Database, orderIds: readonly string[]): Promise<void> {
  await moveDispatched(tx, orderIds, -1);
}

/** Where no level is known there is nothing to take from. What is reserved is settled at the end. */
async function moveDispatched(tx: Database, orderIds: readonly string[], sign: 1 | -1): Promise<void> {
  await sql`
    with gone as (
      select f.warehouse, i.sku, sum(i.quantity) as pieces
      from fulfillments f join fulfillment_items i using (fulfillment_id)
      join shipments s on s.shipment_id = f.fulfillment_id
      where f.order_id = any(${[...orderIds]}::text[]) and f.holds_stock and f.warehouse is not null
        and s.dispatched_at is not null and s.status <> 'returned'
      group by f.warehouse, i.sku
    ), counted as (
      select k.warehouse, k.sku, greatest(k.on_hand - k.shortage + ${sql.lit(sign)} * g.pieces, 0)::bigint as pieces
      from stock k join gone g on g.sku = k.sku and g.warehouse = k.warehouse
    )
    update stock k set on_hand = greatest(c.pieces, k.reserved), shortage = greatest(k.reserved - c.pieces, 0),
      version = k.version + 1, updated_at = now()
    from counted c where c.sku = k.sku and c.warehouse = k.warehouse
  `.execute(tx);
}
