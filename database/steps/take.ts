import { sql } from 'kysely';
import type { Allocation, AllocationStrategy, FreeStock, WantedLine } from '../../domain/allocation.ts';
import { fulfillmentId } from '../../domain/ids.ts';
import type { PlacedOrder } from '../../domain/order.ts';
import type { OrderProgress } from '../../domain/progress.ts';
import type { Database } from '../database.ts';
import { transaction } from '../database.ts';
import { rowsOf } from '../orders/rows.ts';
import { orderStep } from '../orders/step.ts';
import type { StepDependencies } from '../orders/step-types.ts';
import { progressOf } from '../orders/progress.ts';

/** `fenced`: another run has the order. */
export type TakeResult = OrderProgress | 'fenced';

interface Round {
  round: number;
  /** Fulfillments made before this round. */
  before: number;
}

const FIRST_ROUND: Round = { round: 1, before: 0 };

/**
 * The first step of a run: takes the order for it, reserves stock and splits the order by warehouse. All or nothing; a
 * repeat by the same run changes nothing and gets the order as it stands, another run gets `fenced`.
 */
export async function takeOrder(
  deps: StepDependencies & { strategy: AllocationStrategy },
  orderId: string,
  runId: string,
): Promise<TakeResult> {
  return transaction(deps.db, async (tx) => {
    const taken = await fence(tx, orderId, runId);
    if (!taken) return 'fenced';
    if (taken.before === null) await reserve(tx, deps.strategy, taken.placed, runId);
    // The events of a first take; on a repeat nothing has changed and nothing is told.
    const { order } = await orderStep({ ...deps, db: tx }, orderId, taken.eventId ?? 'takeOrder', ({ order }) => {
      if (order.status === 'pending') order.status = isComplete(order) ? 'processing' : 'customerActionRequired';
    });
    return progressOf(order);
  });
}

function isComplete(order: { fulfillments: { status: string }[] }): boolean {
  return order.fulfillments.every((fulfillment) => fulfillment.status !== 'unavailable');
}

const reservationKey = (orderId: string, { round }: Round): string => `${orderId}/${round}`;

/**
 * The order is this run's if nobody had it before. `before` is read under the row's lock: an attempt that waited for
 * another one of the same run sees what that one has done.
 */
async function fence(tx: Database, orderId: string, runId: string) {
  const { rows } = await sql<{ placed: PlacedOrder; eventId: string | null; before: string | null }>`
    update ledger set run_id = ${runId}
    from (
      select order_id, run_id as before from ledger
      where order_id = ${orderId} and placed is not null and (run_id is null or run_id = ${runId}) for update
    ) as mine
    where ledger.order_id = mine.order_id
    returning placed, placed_event_id as "eventId", before
  `.execute(tx);
  return rows[0];
}

async function reserve(tx: Database, strategy: AllocationStrategy, placed: PlacedOrder, runId: string): Promise<void> {
  const wanted = placed.items.map(({ sku, quantity }, i): WantedLine => ({ line: i + 1, sku, quantity }));
  const stock = await lockFreeStock(tx, [...new Set(wanted.map((line) => line.sku))]);
  await insertOrder(tx, placed, runId, strategy(wanted, stock));
}

/** What is free of these SKUs, locked in key order until the transaction ends. */
async function lockFreeStock(tx: Database, skus: string[]): Promise<FreeStock[]> {
  const { rows } = await sql<FreeStock>`
    select warehouse, sku, on_hand - reserved as free from stock where sku = any(${skus}::text[])
    order by sku, warehouse for update
  `.execute(tx);
  return rows;
}

/** Numbered for good: what is unavailable first, then the warehouses. */
function fulfillmentsOf(orderId: string, { unavailable, allotments }: Allocation, { before }: Round) {
  const none = unavailable.length > 0 ? [{ warehouse: null, lines: unavailable }] : [];
  return [...none, ...allotments].map(({ warehouse, lines }, i) => {
    const n = before + i + 1;
    return {
      id: fulfillmentId(orderId, n),
      n,
      warehouse,
      status: warehouse === null ? 'unavailable' : 'pending',
      lines,
    };
  });
}

async function insertOrder(tx: Database, placed: PlacedOrder, runId: string, allocation: Allocation): Promise<void> {
  const { orderId, items } = placed;
  const fulfillments = fulfillmentsOf(orderId, allocation, FIRST_ROUND);
  const lots = fulfillments.flatMap(({ id, warehouse, lines }) => lines.map((line) => ({ id, warehouse, ...line })));
  const shipTo = placed.shipTo && JSON.stringify(placed.shipTo);
  const lines = items.map((item, i) => ({ line: i + 1, ...item }));
  const reserved = lots.filter(({ warehouse }) => warehouse !== null);
  const result = { fulfillments: fulfillments.map(({ id, warehouse }) => ({ id, warehouse })) };
  await sql`
    with o as (
      insert into orders (order_id, run_id, source, customer_id, currency, ship_to, status, placed_at)
      values (${orderId}, ${runId}, ${placed.source}, ${placed.customerId}, ${placed.currency}, ${shipTo}::jsonb,
        'pending', ${new Date(placed.placedAt)})
    ), i as (
      insert into order_items (order_id, line, sku, quantity, unit_price, description)
      select ${orderId}, r.line, r.sku, r.quantity, r."unitPrice", r.description
      from ${rowsOf(lines, 'line int, sku text, quantity int, "unitPrice" bigint, description text')}
    ), f as (
      insert into fulfillments (fulfillment_id, order_id, n, round, warehouse, status)
      select r.id, ${orderId}, r.n, ${FIRST_ROUND.round}, r.warehouse, r.status
      from ${rowsOf(
        fulfillments.map(({ lines: _, ...f }) => f),
        'id text, n int, warehouse text, status text',
      )}
    ), fi as (
      insert into fulfillment_items (fulfillment_id, line, sku, quantity, unit_price)
      select r.id, r.line, r.sku, r.quantity, r."unitPrice" from ${rowsOf(
        lots.map((lot) => ({ ...lot, unitPrice: items[lot.line - 1]?.unitPrice ?? null })),
        'id text, line int, sku text, quantity int, "unitPrice" bigint',
      )}
    ), s as (
      update stock set reserved = stock.reserved + r.pieces, version = stock.version + 1, updated_at = now()
      from (select warehouse, sku, sum(quantity)::bigint as pieces
        from ${rowsOf(reserved, 'warehouse text, sku text, quantity bigint')} group by warehouse, sku) as r
      where stock.sku = r.sku and stock.warehouse = r.warehouse and stock.reserved + r.pieces <= stock.on_hand
    )
    insert into steps (key, order_id, result)
    values (${reservationKey(orderId, FIRST_ROUND)}, ${orderId}, ${JSON.stringify(result)}::jsonb)
  `.execute(tx);
}
