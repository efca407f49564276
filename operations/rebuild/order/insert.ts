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
