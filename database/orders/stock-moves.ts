import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import type { Database } from '../database.ts';
import { rowsOf } from './rows.ts';
import type { StockMove } from './step-types.ts';

/** Changes of stock rows, one row each, in the order in which every transaction locks them. */
export interface StockChange {
  skus: string[];
  warehouses: string[];
  rows: number;
  statement: RawBuilder<unknown>;
}

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
  // Compare and set: a row that does not hold what is taken from it is left out, and the step fails as a whole.
  const statement = sql`update stock set on_hand = stock.on_hand - r.on_hand, reserved = stock.reserved - r.reserved,
      version = stock.version + 1, updated_at = now()
    from ${rowsOf(deltas, columns)}
    where stock.sku = r.sku and stock.warehouse = r.warehouse and stock.reserved >= r.reserved
      and stock.on_hand >= r.on_hand returning 1`;
  return {
    skus: deltas.map((delta) => delta.sku),
    warehouses: deltas.map((delta) => delta.warehouse),
    rows: deltas.length,
    statement,
  };
}

function sumUp(moves: readonly StockMove[]): Map<string, Delta> {
  const deltas = new Map<string, Delta>();
  for (const { kind, fulfillment } of moves) {
    const warehouse = fulfillment.warehouse;
    if (warehouse === null) continue;
    for (const { sku, quantity } of fulfillment.items) {
      const key = `${warehouse}\n${sku}`;
      const delta = deltas.get(key) ?? { warehouse, sku, on_hand: 0, reserved: 0 };
      delta.reserved += quantity;
      if (kind === 'commit') delta.on_hand += quantity;
      deltas.set(key, delta);
    }
  }
  return deltas;
}

/** Rows are locked in key order, so that two orders with the same SKUs wait for each other instead of blocking each other. */
export async function lockStock(tx: Database, change: StockChange | null): Promise<void> {
  if (!change || change.rows < 2) return;
  await sql`select 1 from stock
    where (sku, warehouse) in (select * from unnest(${change.skus}::text[], ${change.warehouses}::text[]))
    order by sku, warehouse for update`.execute(tx);
}
