import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import { rowsOf } from '../../database/database.ts';
import type { StockMove } from '../record/order-step.ts';

/** Changes of stock rows, one row each. */
export interface StockChange {
  rows: number;
  statement: RawBuilder<unknown>;
}

/** What is taken off a stock row; reserving and returning take off less than nothing. */
interface Delta {
  warehouse: string;
  sku: string;
  on_hand: number;
  reserved: number;
}

/** The moves of a step summed up per stock row; null when there are none. */
export function stockChange(moves: readonly StockMove[]): StockChange | null {
  const deltas = [...sumUp(moves).values()];
  if (deltas.length === 0) return null;
  const columns = 'warehouse text, sku text, on_hand bigint, reserved bigint';
  return { rows: deltas.length, statement: updateStock(rowsOf(deltas, columns)) };
}

/**
 * Takes `on_hand` and `reserved` of the rows `r` off their stock rows: compare and set, one `returning` a row that held
 * what was taken from it. Pieces that are released where there is a shortage were never there: they lessen the shortage
 * instead of being free, and so do pieces that come back. Rows are locked in key order, so that two orders with the same
 * SKUs wait for each other instead of blocking each other.
 */
function updateStock(r: RawBuilder<unknown>): RawBuilder<unknown> {
  const missing = sql`least(stock.shortage, greatest(r.reserved - r.on_hand, 0))`;
  return sql`update stock set on_hand = stock.on_hand - r.on_hand - ${missing},
      reserved = stock.reserved - r.reserved,
      shortage = least(stock.shortage - ${missing}, stock.reserved - r.reserved),
      version = stock.version + 1, updated_at = now()
    from (
      select stock.warehouse, stock.sku, r.on_hand, r.reserved from stock
      join ${r} on stock.sku = r.sku and stock.warehouse = r.warehouse
      order by stock.sku, stock.warehouse for update of stock
    ) as r
    where stock.sku = r.sku and stock.warehouse = r.warehouse
      and stock.reserved - r.reserved between 0 and stock.on_hand - r.on_hand - ${missing}
    returning 1`;
}

function sumUp(moves: readonly StockMove[]): Map<string, Delta> {
  const deltas = new Map<string, Delta>();
  for (const { kind, fulfillment } of moves) {
    const { warehouse, holdsStock } = fulfillment;
    if (warehouse === null || !holdsStock) continue;
    for (const { sku, quantity } of fulfillment.items) {
      const key = `${warehouse}\n${sku}`;
      const delta = deltas.get(key) ?? { warehouse, sku, on_hand: 0, reserved: 0 };
      if (kind === 'return') delta.on_hand -= quantity;
      else delta.reserved += kind === 'reserve' ? -quantity : quantity;
      if (kind === 'commit') delta.on_hand += quantity;
      deltas.set(key, delta);
    }
  }
  return deltas;
}
