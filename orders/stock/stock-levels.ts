import { sql } from 'kysely';
import { retrying, rowsOf } from '../../database/database.ts';
import type { Database } from '../../database/database.ts';
import { all, pageOf } from '../../database/read/cursor.ts';
import type { FromText, Page, TextCursor } from '../../database/read/cursor.ts';

/** What a warehouse holds of a SKU. */
export interface StockLevel {
  sku: string;
  warehouse: string;
  /** Pieces that are there, those promised to orders included. */
  onHand: number;
}

/** A level from upstream. */
export interface SentLevel extends StockLevel {
  /** Grows with each level of this SKU and warehouse. */
  version: number;
  /** When upstream counted, ms since the epoch. */
  countedAt: number;
}

/** A stock level with what of it is promised. */
export interface HeldStock extends StockLevel {
  reserved: number;
  /** Promised to orders, and not there. */
  shortage: number;
  /** Of the newest level from upstream; null before the first. */
  levelVersion: number | null;
}

export interface AppliedLevels {
  /** Those of the given levels that were the newest of their SKU and warehouse. */
  applied: ReadonlySet<SentLevel>;
  /** Where less is there now than orders were promised. */
  short: HeldStock[];
}

/** The columns of a `HeldStock`. */
const HELD = sql`stock.sku, stock.warehouse, stock.on_hand - stock.shortage as "onHand", stock.reserved, stock.shortage,
  stock.level_version as "levelVersion"`;

const keyOf = ({ sku, warehouse }: { sku: string; warehouse: string }): string => `${warehouse}\n${sku}`;

/** Whether a version says more than the last that is known, if one is. `putLevels` holds the same against the rows. */
export const isNewer = (version: number, known: number | null | undefined): boolean =>
  known === null || known === undefined || version > known;

/** The version that is known of each level's SKU and warehouse; null before the first from upstream. */
export async function knownLevelVersions(
  db: Database,
  levels: readonly Pick<StockLevel, 'sku' | 'warehouse'>[],
): Promise<(number | null)[]> {
  const wanted = levels.map(({ sku, warehouse }, position) => ({ sku, warehouse, position }));
  const { rows } = await sql<{ position: number; version: number | null }>`
    select r.position, s.level_version as version from ${rowsOf(wanted, 'sku text, warehouse text, position int')}
    join stock s on s.sku = r.sku and s.warehouse = r.warehouse
  `.execute(db);
  const known = new Map(rows.map(({ position, version }) => [position, version]));
  return levels.map((_, i) => known.get(i) ?? null);
}

/** Adds levels that are not known yet; known ones keep what orders have left of them. Returns how many were added. */
export async function addStock(db: Database, levels: readonly StockLevel[]): Promise<number> {
  const { rows: added } = await sql`
    insert into stock (sku, warehouse, on_hand)
    select r.sku, r.warehouse, r."onHand" from ${rowsOf(levels, LEVEL)} order by r.sku, r.warehouse
    on conflict do nothing returning 1
  `.execute(db);
  return added.length;
}

/**
 * Takes in levels from upstream: of each SKU and warehouse the highest version counts, so any order of arrival and any
 * repeat leads to the same level; a version that is known, or older, changes nothing. What a level says is the truth at
 * the moment it is taken in. One statement for all of them.
 * @throws OmsError OMS_DATABASE_UNAVAILABLE
 */
export function applyLevels(db: Database, levels: readonly SentLevel[]): Promise<AppliedLevels> {
  return retrying(() => takeInLevels(db, levels));
}

/** `applyLevels` within the caller's transaction, which is the one to be tried again. */
export async function takeInLevels(db: Database, levels: readonly SentLevel[]): Promise<AppliedLevels> {
  const newest = new Map<string, SentLevel>();
  for (const level of levels) {
    if (isNewer(level.version, newest.get(keyOf(level))?.version)) newest.set(keyOf(level), level);
  }
  const held = await putLevels(db, [...newest.values()]);
  const applied = held.flatMap((one) => newest.get(keyOf(one)) ?? []);
  return { applied: new Set(applied), short: held.filter(({ shortage }) => shortage > 0) };
}

/** Sets a level to what was counted by hand: it holds until upstream sends its next, whatever version that has. */
export async function setStock(db: Database, level: StockLevel): Promise<HeldStock> {
  const [held] = await retrying(() => putLevels(db, [level]));
  if (held) return held;
  throw new Error('a level set by hand was not written');
}

/** Levels of the given SKUs, of all when none are given, by SKU and warehouse. */
export async function readStock(db: Database, skus: readonly string[], limit: number): Promise<HeldStock[]> {
  const { rows } = await sql<HeldStock>`
    select ${HELD} from stock ${skus.length > 0 ? sql`where sku = any(${[...skus]}::text[])` : sql``}
    order by sku, warehouse limit ${limit}
  `.execute(db);
  return rows;
}

/** One level. @throws Error when there is none: the caller has to know */
export async function readLevel(db: Database, sku: string, warehouse: string): Promise<HeldStock> {
  const { rows } = await sql<HeldStock>`
    select ${HELD} from stock where sku = ${sku} and warehouse = ${warehouse}
  `.execute(db);
  if (rows[0]) return rows[0];
  throw new Error(`no stock of ${sku} in ${warehouse}`);
}

/** Stock rows that are short, and the pieces they lack in all. */
export async function countShortages(db: Database): Promise<{ rows: number; pieces: number }> {
  const { rows } = await sql<{ rows: number; pieces: number }>`
    select count(*) as rows, coalesce(sum(shortage), 0)::bigint as pieces from stock where shortage > 0
  `.execute(db);
  return rows[0] ?? { rows: 0, pieces: 0 };
}

const LEVEL = `sku text collate "C", warehouse text collate "C", "onHand" bigint, version bigint, "countedAt" timestamptz`;

/**
 * Writes levels, in key order like every stock move; answers those it has written. Orders keep what they were promised:
 * where less is there, on_hand stays at what is reserved, and the rest is the shortage.
 */
async function putLevels(db: Database, levels: readonly (StockLevel & Partial<SentLevel>)[]): Promise<HeldStock[]> {
  if (levels.length === 0) return [];
  const given = levels.map(({ countedAt, ...level }) => ({
    ...level,
    countedAt: countedAt === undefined ? null : new Date(countedAt).toISOString(),
  }));
  const { rows } = await sql<HeldStock>`
    insert into stock (sku, warehouse, on_hand, level_version, counted_at)
    select r.sku, r.warehouse, r."onHand", r.version, r."countedAt" from ${rowsOf(given, LEVEL)}
    order by r.sku, r.warehouse
    on conflict (sku, warehouse) do update set on_hand = greatest(excluded.on_hand, stock.reserved),
      shortage = greatest(stock.reserved - excluded.on_hand, 0), version = stock.version + 1, updated_at = now(),
      level_version = coalesce(excluded.level_version, stock.level_version),
      counted_at = coalesce(excluded.counted_at, stock.counted_at)
    where excluded.level_version is null or stock.level_version is null
      or excluded.level_version > stock.level_version
    returning ${HELD}
  `.execute(db);
  return rows;
}

/** Stock levels by SKU and warehouse. */
export async function listStock(
  db: Database,
  { sku, warehouse }: { sku?: string; warehouse?: string },
  { after, limit }: FromText,
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
