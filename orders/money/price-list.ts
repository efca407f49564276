import { sql } from 'kysely';
import { rowsOf, transaction } from '../../database/database.ts';
import type { Database } from '../../database/database.ts';
import { all, pageOf } from '../../database/read/cursor.ts';
import type { FromText, Page, TextCursor } from '../../database/read/cursor.ts';
import { isNewer } from '../stock/stock-levels.ts';

export interface PriceLevel {
  sku: string;
  currency: string;
  /** Minor units. */
  unitPrice: number;
}

/** A price as it came with a stock level. */
export interface SentPrice extends PriceLevel {
  warehouse: string;
  /** Of the level. */
  version: number;
  /** When upstream counted, ms since the epoch. */
  countedAt: number;
}

/** A price in force, with the version of the price list that brought it. */
export interface ListedPrice extends PriceLevel {
  listVersion: number;
}

/** Prices as of one moment, and the version of the list they stand in. */
export interface PriceList {
  version: number;
  /** Unit price in minor units, by SKU; a SKU without a price is missing. */
  prices: ReadonlyMap<string, number>;
}

/**
 * The prices of these SKUs in a currency and the version of the price list, from one moment. What a version said is never
 * changed: `price_history` tells it for ever, so an invoice that names its version can be worked out again.
 */
export async function readPriceList(db: Database, currency: string, skus: readonly string[]): Promise<PriceList> {
  const { rows } = await sql<{ version: number; sku: string | null; unit_price: number }>`
    select l.version, p.sku, p.unit_price
    from price_list l left join prices p on p.currency = ${currency} and p.sku = any(${[...new Set(skus)]}::text[])
  `.execute(db);
  const prices = rows.flatMap(({ sku, unit_price }): [string, number][] => (sku === null ? [] : [[sku, unit_price]]));
  return { version: rows[0]?.version ?? 0, prices: new Map(prices) };
}

/** The version of the price list in force: it counts the changes of prices, from 0. */
export async function priceListVersion(db: Database): Promise<number> {
  return (await readPriceList(db, '', [])).version;
}

/** Adds prices of SKUs that have none in their currency. Returns how many were added. */
export function addPrices(db: Database, prices: readonly PriceLevel[]): Promise<number> {
  return transaction(db, async (tx) => {
    await lockList(tx);
    return changePrices(tx, prices.map(byHand), { replace: false });
  });
}

/** Sets a price by hand: it holds until upstream sends its next. */
export function setPrice(db: Database, price: PriceLevel): Promise<void> {
  return transaction(db, async (tx) => {
    await lockList(tx);
    await changePrices(tx, [byHand(price)], { replace: true });
  });
}

/**
 * Takes in prices that came with levels. Per warehouse the highest version counts; of the warehouses' prices the one
 * counted last is in force. So any order of arrival, and any repeat, leads to the same list. Returns how many changed.
 */
export function applySentPrices(db: Database, sent: readonly SentPrice[]): Promise<number> {
  return sent.length === 0 ? Promise.resolve(0) : transaction(db, (tx) => takeInPrices(tx, sent));
}

/** `applySentPrices` within the caller's transaction. */
export async function takeInPrices(tx: Database, sent: readonly SentPrice[]): Promise<number> {
  if (sent.length === 0) return 0;
  const news = await keepNewer(tx, sent);
  if (news.length === 0) return 0;
  await lockList(tx);
  return changePrices(tx, await comingIntoForce(tx, news), { replace: true });
}

/** The version that is known of each price's SKU, currency and warehouse; null before the first. */
export async function knownPriceVersions(
  db: Database,
  prices: readonly Pick<SentPrice, 'sku' | 'currency' | 'warehouse'>[],
): Promise<(number | null)[]> {
  const wanted = prices.map(({ sku, currency, warehouse }, position) => ({ sku, currency, warehouse, position }));
  const { rows } = await sql<{ position: number; version: number }>`
    select r.position, l.level_version as version
    from ${rowsOf(wanted, 'sku text, currency text, warehouse text, position int')}
    join price_levels l on l.sku = r.sku and l.currency = r.currency and l.warehouse = r.warehouse
  `.execute(db);
  const known = new Map(rows.map(({ position, version }) => [position, version]));
  return prices.map((_, i) => known.get(i) ?? null);
}

/** Prices in force of these SKUs, by SKU and currency. */
export async function readPrices(db: Database, skus: readonly string[]): Promise<ListedPrice[]> {
  if (skus.length === 0) return [];
  const columns = ['sku', 'currency', 'unit_price as unitPrice', 'list_version as listVersion'] as const;
  const query = db.selectFrom('prices').select([...columns]);
  return query
    .where('sku', 'in', [...skus])
    .orderBy('sku')
    .orderBy('currency')
    .execute();
}

/** Who changes prices goes one at a time, and then reads what the one before has left: versions have no gaps or ties. */
async function lockList(tx: Database): Promise<void> {
  await sql`select version from price_list for update`.execute(tx);
}

type Origin = { warehouse: string | null; version: number | null };
type Change = PriceLevel & Origin;

const byHand = ({ sku, currency, unitPrice }: PriceLevel): Change => ({
  ...{ sku, currency, unitPrice },
  ...{ warehouse: null, version: null },
});

const CHANGE = `sku text collate "C", currency text, "unitPrice" bigint, warehouse text collate "C", version bigint`;

/**
 * Puts prices in force, under the lock of the list. A new version comes with those that differ; one that only comes from
 * elsewhere now is no change. One row per SKU and currency. Returns how many changed.
 */
async function changePrices(
  tx: Database,
  wanted: readonly Change[],
  { replace }: { replace: boolean },
): Promise<number> {
  const { rows } = await sql<{ changed: number }>`
    with w as (
      select r.*, p.sku is null or p.unit_price <> r."unitPrice" as is_change
      from ${rowsOf(wanted, CHANGE)} left join prices p on p.sku = r.sku and p.currency = r.currency
      where ${replace} or p.sku is null
    ), v as (
      update price_list set version = version + 1, changed_at = now()
      where exists (select from w where is_change) returning version
    ), h as (
      insert into price_history (sku, currency, list_version, unit_price)
      select w.sku, w.currency, v.version, w."unitPrice" from w, v where w.is_change
    ), p as (
      insert into prices (sku, currency, unit_price, list_version, from_warehouse, from_version)
      select w.sku, w.currency, w."unitPrice", coalesce(v.version, 0), w.warehouse, w.version from w left join v on true
      on conflict (sku, currency) do update set unit_price = excluded.unit_price, updated_at = now(),
        list_version = case when prices.unit_price = excluded.unit_price then prices.list_version
          else excluded.list_version end,
        from_warehouse = coalesce(excluded.from_warehouse, prices.from_warehouse),
        from_version = coalesce(excluded.from_version, prices.from_version)
    )
    select count(*) filter (where is_change) as changed from w
  `.execute(tx);
  return rows[0]?.changed ?? 0;
}

/**
 * Keeps what is newer than what its warehouse has sent before; returns whose prices may have changed by it. Of two with
 * one version, the first to come stands.
 */
async function keepNewer(tx: Database, sent: readonly SentPrice[]): Promise<{ sku: string; currency: string }[]> {
  const newest = new Map<string, SentPrice>();
  for (const price of sent) {
    const key = `${price.warehouse}\n${price.currency}\n${price.sku}`;
    if (isNewer(price.version, newest.get(key)?.version)) newest.set(key, price);
  }
  const rows = [...newest.values()].map((one) => ({ ...one, countedAt: new Date(one.countedAt).toISOString() }));
  const { rows: newer } = await sql<{ sku: string; currency: string }>`
    insert into price_levels (sku, currency, warehouse, unit_price, level_version, counted_at)
    select r.sku, r.currency, r.warehouse, r."unitPrice", r.version, r."countedAt"
    from ${rowsOf(rows, `${CHANGE}, "countedAt" timestamptz`)} order by r.sku, r.currency, r.warehouse
    on conflict (sku, currency, warehouse) do update set unit_price = excluded.unit_price,
      level_version = excluded.level_version, counted_at = excluded.counted_at
    where excluded.level_version > price_levels.level_version
    returning sku, currency
  `.execute(tx);
  return newer;
}

/** The prices counted last, where they are not those that have been in force already. */
async function comingIntoForce(tx: Database, of: readonly { sku: string; currency: string }[]): Promise<Change[]> {
  const { rows } = await sql<Change>`
    select l.sku, l.currency, l.unit_price as "unitPrice", l.warehouse, l.level_version as version from (
      select distinct on (l.sku, l.currency) l.* from price_levels l
      join ${rowsOf(of, 'sku text, currency text')} on l.sku = r.sku and l.currency = r.currency
      order by l.sku, l.currency, l.counted_at desc, l.warehouse
    ) as l
    left join prices p on p.sku = l.sku and p.currency = l.currency
    where p.from_warehouse is distinct from l.warehouse or p.from_version is distinct from l.level_version
  `.execute(tx);
  return rows;
}

/** Prices in force, by SKU and currency. */
export async function listPrices(
  db: Database,
  { sku, currency }: { sku?: string; currency?: string },
  { after, limit }: FromText,
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
