import { sql } from 'kysely';
import { insertRows } from '../../database/columns.ts';
import { retrying } from '../../database/database.ts';
import type { Database } from '../../database/database.ts';
import type { NewEvent } from '../../database/outbox/outbox.ts';
import type { Allocation, AllocationStrategy, FreeStock, WantedLine } from '../../domain/allocation.ts';
import { CAUSES } from '../../domain/causes.ts';
import { fulfillmentId } from '../../domain/ids.ts';
import type { OrderItem, PlacedOrder } from '../../domain/order.ts';
import type { OrderProgress } from '../../domain/progress.ts';
import { orderStatusEvent } from '../events.ts';
import {
  FIRST_ROUND,
  FULFILLMENTS,
  FULFILLMENT_ITEMS,
  ORDERS,
  ORDER_ITEMS,
  fulfillmentItemRows,
  fulfillmentRow,
  itemRows,
  orderRow,
} from '../record/columns.ts';
import type { StepDependencies } from '../record/order-step.ts';
import { progressOf, readProgress } from '../record/progress.ts';
import type { FulfillmentRecord, OrderRecord } from '../record/record.ts';
import { expectRows, insertEvents } from '../record/save.ts';
import { stockChange } from '../stock/stock-moves.ts';

/** `fenced`: another run has the order. */
export type TakeResult = OrderProgress | 'fenced';

/**
 * The first step of a run: takes the order for it, reserves stock and splits the order by warehouse. One statement, all
 * or nothing; a repeat by the same run changes nothing and gets the order as it stands, another run gets `fenced`.
 */
export async function takeOrder(
  deps: StepDependencies & { strategy: AllocationStrategy },
  orderId: string,
  runId: string,
): Promise<TakeResult> {
  return retrying(async () => {
    const found = await readPlaced(deps.db, orderId);
    if (!found || (found.runId !== null && found.runId !== runId)) return 'fenced';
    if (found.runId === runId) return readProgress(deps.db, orderId);
    if (found.isTaken) return adopt(deps.db, orderId, runId);
    const order = await plan(deps, found);
    const event = orderStatusEvent(order, found.eventId ?? CAUSES.takeOrder);
    await insertOrder(deps, { order, runId, items: found.placed.items, event });
    return progressOf(order);
  });
}

interface Placed {
  placed: PlacedOrder;
  eventId: string | null;
  runId: string | null;
  /** A run had it, and an operator has found that run gone. */
  isTaken: boolean;
  /** When the ledger took it in, to the millisecond. */
  receivedAt: Date;
  now: Date;
}

async function readPlaced(db: Database, orderId: string): Promise<Placed | undefined> {
  const { rows } = await sql<Placed>`
    select placed, placed_event_id as "eventId", run_id as "runId", clock_timestamp() as now,
      date_trunc('milliseconds', coalesce(claimed_at, clock_timestamp())) as "receivedAt",
      exists (select from orders where orders.order_id = ledger.order_id) as "isTaken"
    from ledger where order_id = ${orderId} and placed is not null
  `.execute(db);
  return rows[0];
}

/** A run that takes the place of one that is gone: it goes on from what the database holds. */
async function adopt(db: Database, orderId: string, runId: string): Promise<TakeResult> {
  const { rows } = await sql<{ run_id: string }>`
    with mine as (update ledger set run_id = ${runId} where order_id = ${orderId} and run_id is null returning run_id)
    update orders set run_id = mine.run_id from mine where order_id = ${orderId} returning orders.run_id
  `.execute(db);
  return rows.length > 0 ? readProgress(db, orderId) : 'fenced';
}

/** The order as it will be once its stock is reserved. What is free is read without a lock: reserving compares again. */
async function plan(
  { db, strategy }: { db: Database; strategy: AllocationStrategy },
  { placed, now, receivedAt }: Placed,
): Promise<OrderRecord> {
  const wanted = placed.items.map(({ sku, quantity }, i): WantedLine => ({ line: i + 1, sku, quantity }));
  const stock = strategy.keepsStock ? await readFreeStock(db, [...new Set(wanted.map((line) => line.sku))]) : [];
  const allocation = strategy.allocate(wanted, stock);
  const { items: _items, ...head } = placed;
  return {
    ...head,
    status: allocation.unavailable.length > 0 ? 'customerActionRequired' : 'processing',
    reason: null,
    receivedAt: receivedAt.getTime(),
    closedAt: null,
    overdue: null,
    version: 0,
    sequences: {},
    now: now.getTime(),
    askedAt: performance.now(),
    fulfillments: fulfillmentsOf(placed, allocation, strategy.keepsStock),
  };
}

async function readFreeStock(db: Database, skus: string[]): Promise<FreeStock[]> {
  const { rows } = await sql<FreeStock>`
    select warehouse, sku, on_hand - reserved as free from stock where sku = any(${skus}::text[])
    order by sku, warehouse
  `.execute(db);
  return rows;
}

/** Numbered for good: what is unavailable first, then the warehouses. */
function fulfillmentsOf(
  placed: PlacedOrder,
  { unavailable, allotments }: Allocation,
  holdsStock: boolean,
): FulfillmentRecord[] {
  const none = unavailable.length > 0 ? [{ warehouse: null, lines: unavailable }] : [];
  return [...none, ...allotments].map(({ warehouse, lines }, i) => ({
    id: fulfillmentId(placed.orderId, i + 1),
    warehouse,
    holdsStock,
    status: warehouse === null ? 'unavailable' : 'pending',
    reason: null,
    items: lines.map((line) => ({ ...line, unitPrice: placed.items[line.line - 1]?.unitPrice ?? null })),
    invoice: null,
    payment: null,
    creditNotes: [],
    shipment: null,
  }));
}

/** An order to be made of a ledger row. */
interface NewOrder {
  order: OrderRecord;
  runId: string;
  /** All lines as they were placed. */
  items: readonly OrderItem[];
  event: NewEvent;
}

/** The run was not the first, or stock that was free has gone: look again. */
const CHANGED_SINCE = '40001';

/**
 * Takes the ledger row for the run and makes the order: its parts, its reservation of stock and its first event, in one
 * statement. Fails as a whole, to be tried again, when another run was first or the stock no longer holds it all.
 */
async function insertOrder({ db, encoder }: StepDependencies, given: NewOrder): Promise<void> {
  const { order, runId, items, event } = given;
  const { orderId, fulfillments } = order;
  const told = insertEvents(encoder, order, [event]);
  const reserved = stockChange(fulfillments.map((fulfillment) => ({ kind: 'reserve', fulfillment })));
  const stock = reserved ? sql`, k as (${reserved.statement})` : sql``;
  const hold = reserved ? sql`, ${expectRows('k', reserved.rows, CHANGED_SINCE)}` : sql``;
  await sql`
    with m as (
      update ledger set run_id = ${runId} where order_id = ${orderId} and run_id is null returning 1
    ), o as (${insertRows(ORDERS, [orderRow(order, runId)])}), i as (${insertRows(ORDER_ITEMS, itemRows(order, items))}),
    f as (${insertRows(FULFILLMENTS, fulfillments.map(fulfillmentRow))}),
    fi as (${insertRows(FULFILLMENT_ITEMS, fulfillments.flatMap(fulfillmentItemRows))}),
    t as (insert into steps (key, order_id, result)
      values (${`${orderId}/${FIRST_ROUND}`}, ${orderId}, ${JSON.stringify(fulfillments.map(({ id }) => id))}::jsonb)),
    e as (${told}) ${stock}
    select ${expectRows('m', 1, CHANGED_SINCE)} ${hold}
  `.execute(db);
}
