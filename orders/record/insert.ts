import { sql } from 'kysely';
import type { NewEvent } from '../../database/outbox/outbox.ts';
import { rowsOf } from '../../database/rows.ts';
import type { OrderItem } from '../../domain/order.ts';
import { stockChange } from '../stock/stock-moves.ts';
import type { OrderRecord } from './record.ts';
import { expectRows, insertEvents } from './save.ts';
import type { StepDependencies } from './step-types.ts';

/** An order to be made of a ledger row. */
export interface NewOrder {
  order: OrderRecord;
  runId: string;
  /** All lines as they were placed. */
  items: readonly OrderItem[];
  event: NewEvent;
}

/** Amendments will reserve in rounds of their own; taking an order is the first. */
const FIRST_ROUND = 1;

/** The run was not the first, or stock that was free has gone: look again. */
const CHANGED_SINCE = '40001';

/**
 * Takes the ledger row for the run and makes the order: its parts, its reservation of stock and its first event, in one
 * statement. Fails as a whole, to be tried again, when another run was first or the stock no longer holds it all.
 */
export async function insertOrder({ db, encoder }: StepDependencies, given: NewOrder): Promise<void> {
  const { order, runId, items, event } = given;
  const { orderId, fulfillments } = order;
  const told = insertEvents(encoder, order, [event]);
  const reserved = stockChange(fulfillments.map((fulfillment) => ({ kind: 'reserve', fulfillment })));
  const stock = reserved ? sql`, k as (${reserved.statement})` : sql``;
  const hold = reserved ? sql`, ${expectRows('k', reserved.rows, CHANGED_SINCE)}` : sql``;
  await sql`
    with m as (
      update ledger set run_id = ${runId} where order_id = ${orderId} and run_id is null returning 1
    ), o as (
      insert into orders (order_id, run_id, source, customer_id, currency, ship_to, status, placed_at, received_at,
        version, sequences)
      values (${orderId}, ${runId}, ${order.source}, ${order.customerId}, ${order.currency},
        ${order.shipTo && JSON.stringify(order.shipTo)}::jsonb, ${order.status}, ${new Date(order.placedAt)},
        ${new Date(order.receivedAt)}, ${order.version}, ${JSON.stringify(order.sequences)}::jsonb)
    ), i as (${insertItems(order, items)}), f as (${insertFulfillments(order)}), fi as (${insertLots(order)}),
    t as (insert into steps (key, order_id, result)
      values (${`${orderId}/${FIRST_ROUND}`}, ${orderId}, ${JSON.stringify(fulfillments.map(({ id }) => id))}::jsonb)),
    e as (${told}) ${stock}
    select ${expectRows('m', 1, CHANGED_SINCE)} ${hold}
  `.execute(db);
}

function insertItems({ orderId, receivedAt }: OrderRecord, items: readonly OrderItem[]) {
  const rows = items.map((item, i) => ({ line: i + 1, ...item }));
  const columns = 'line int, sku text, quantity int, "unitPrice" bigint, description text';
  return sql`insert into order_items (order_id, line, sku, quantity, unit_price, description, received_at)
    select ${orderId}, r.line, r.sku, r.quantity, r."unitPrice", r.description, ${new Date(receivedAt)}::timestamptz from ${rowsOf(rows, columns)}`;
}

function insertFulfillments({ orderId, fulfillments }: OrderRecord) {
  const rows = fulfillments.map(({ id, warehouse, holdsStock, status }, i) => ({
    ...{ id, n: i + 1, warehouse, holdsStock, status },
  }));
  return sql`insert into fulfillments (fulfillment_id, order_id, n, round, warehouse, holds_stock, status)
    select r.id, ${orderId}, r.n, ${FIRST_ROUND}::int, r.warehouse, r."holdsStock", r.status
    from ${rowsOf(rows, 'id text, n int, warehouse text, "holdsStock" boolean, status text')}`;
}

function insertLots({ fulfillments }: OrderRecord) {
  const rows = fulfillments.flatMap(({ id, items }) => items.map((item) => ({ id, ...item })));
  return sql`insert into fulfillment_items (fulfillment_id, line, sku, quantity, unit_price)
    select r.id, r.line, r.sku, r.quantity, r."unitPrice"
    from ${rowsOf(rows, 'id text, line int, sku text, quantity int, "unitPrice" bigint')}`;
}
