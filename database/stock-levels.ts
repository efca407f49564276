import { sql } from 'kysely';
import { faultError } from '../domain/errors.ts';
import { transaction } from './database.ts';
import type { Database } from './database.ts';

/** What a warehouse holds of a SKU. */
export interface StockLevel {
  sku: string;
  warehouse: string;
  /** Pieces on the shelf, those promised to orders included. */
  onHand: number;
}

/** A stock level with what of it is promised. */
export interface HeldStock extends StockLevel {
  reserved: number;
}

const sorted = <T extends { sku: string }>(rows: readonly T[], second: keyof T): T[] =>
  rows.toSorted((a, b) => (a.sku === b.sku ? (a[second] < b[second] ? -1 : 1) : a.sku < b.sku ? -1 : 1));

/** Adds levels that are not known yet; known ones keep what orders have left of them. Returns how many were added. */
export async function addStock(db: Database, levels: readonly StockLevel[]): Promise<number> {
  const rows = sorted(levels, 'warehouse');
  const { rows: added } = await sql`
    insert into stock (sku, warehouse, on_hand)
    select * from unnest(${rows.map((row) => row.sku)}::text[], ${rows.map((row) => row.warehouse)}::text[],
      ${rows.map((row) => row.onHand)}::bigint[])
    on conflict do nothing returning sku
  `.execute(db);
  return added.length;
}

/**
 * Sets a level to a counted number of pieces.
 * @throws OmsError OMS_STOCK_INVALID when orders have more than that promised to them
 */
export async function setStock(db: Database, level: StockLevel): Promise<HeldStock> {
  return transaction(db, async (tx) => {
    const { sku, warehouse, onHand } = level;
    const known = await tx
      .selectFrom('stock')
      .select('reserved')
      .where('sku', '=', sku)
      .where('warehouse', '=', warehouse)
      .forUpdate()
      .executeTakeFirst();
    const reserved = known?.reserved ?? 0;
    if (onHand < reserved) {
      const rule = `must be at least ${reserved}, which orders have reserved`;
      throw faultError('OMS_STOCK_INVALID', { field: 'onHand', value: onHand, rule });
    }
    await sql`
      insert into stock (sku, warehouse, on_hand) values (${sku}, ${warehouse}, ${onHand})
      on conflict (sku, warehouse)
      do update set on_hand = excluded.on_hand, version = stock.version + 1, updated_at = now()
    `.execute(tx);
    return { ...level, reserved };
  });
}

/** Levels of the given SKUs, of all when none are given, by SKU and warehouse. */
export async function readStock(db: Database, skus: readonly string[], limit: number): Promise<HeldStock[]> {
  const rows = await db
    .selectFrom('stock')
    .select(['sku', 'warehouse', 'on_hand as onHand', 'reserved'])
    .$if(skus.length > 0, (query) => query.where('sku', 'in', [...skus]))
    .orderBy('sku')
    .orderBy('warehouse')
    .limit(limit)
    .execute();
  return rows;
}
