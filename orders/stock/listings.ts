import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import type { Database } from '../../database/database.ts';
import { pageOf } from '../../database/read/cursor.ts';
import type { Page, TextCursor } from '../../database/read/cursor.ts';
import type { ListedPrice } from '../money/price-list.ts';
import { HELD } from './stock-levels.ts';
import type { HeldStock } from './stock-levels.ts';

interface From {
  after?: TextCursor | undefined;
  limit: number;
}

/** Stock levels by SKU and warehouse. */
export async function listStock(
  db: Database,
  { sku, warehouse }: { sku?: string; warehouse?: string },
  { after, limit }: From,
): Promise<Page<HeldStock, TextCursor>> {
  const where = all([
    ...(sku === undefined ? [] : [sql`stock.sku = ${sku}`]),
    ...(warehouse === undefined ? [] : [sql`stock.warehouse = ${warehouse}`]),
    ...(after ? [sql`(stock.sku, stock.warehouse) > (${after[0]} collate "C", ${after[1]} collate "C")`] : []),
  ]);
  const { rows } = await sql<HeldStock>`
    select ${HELD} from stock where ${where} order by stock.sku, stock.warehouse limit ${limit + 1}
  `.execute(db);
  return pageOf(rows, limit, (row): TextCursor => [row.sku, row.warehouse]);
}

/** One level; undefined when there is none. */
export async function findLevel(db: Database, sku: string, warehouse: string): Promise<HeldStock | undefined> {
  return (await listStock(db, { sku, warehouse }, { limit: 1 })).items[0];
}

/** Prices in force, by SKU and currency. */
export async function listPrices(
  db: Database,
  { sku, currency }: { sku?: string; currency?: string },
  { after, limit }: From,
): Promise<Page<ListedPrice, TextCursor>> {
  const where = all([
    ...(sku === undefined ? [] : [sql`sku = ${sku}`]),
    ...(currency === undefined ? [] : [sql`currency = ${currency}`]),
    ...(after ? [sql`(sku, currency) > (${after[0]} collate "C", ${after[1]}::bpchar)`] : []),
  ]);
  const { rows } = await sql<ListedPrice>`
    select sku, currency::text as currency, unit_price as "unitPrice", list_version as "listVersion" from prices
    where ${where} order by prices.sku, prices.currency limit ${limit + 1}
  `.execute(db);
  return pageOf(rows, limit, (row): TextCursor => [row.sku, row.currency]);
}

const all = (conditions: RawBuilder<unknown>[]): RawBuilder<unknown> =>
  conditions.length === 0 ? sql`true` : sql.join(conditions, sql` and `);
