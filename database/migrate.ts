import { sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import type { RawBuilder } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { Database } from './database.ts';
import { OmsError } from '../domain/errors.ts';
import * as foundation from './migrations/0001-foundation.ts';
import * as expectation from './migrations/0002-expect.ts';
import * as stock from './migrations/0003-stock.ts';
import * as money from './migrations/0004-money.ts';
import * as carrier from './migrations/0005-carrier.ts';
import * as deadlines from './migrations/0006-deadlines.ts';
import * as api from './migrations/0007-api.ts';
import * as replay from './migrations/0008-replay.ts';
import * as decisions from './migrations/0009-decisions.ts';
import * as shipmentLists from './migrations/0010-shipment-lists.ts';
import * as charges from './migrations/0011-charges.ts';
import * as feedNumber from './migrations/0012-feed-number.ts';
import * as replayNotes from './migrations/0013-replay-notes.ts';

/** Every migration, by the name it is recorded under; names are never changed. */
const MIGRATIONS: Record<string, Migration> = {
  '0001-foundation': foundation,
  '0002-expect': expectation,
  '0003-stock': stock,
  '0004-money': money,
  '0005-carrier': carrier,
  '0006-deadlines': deadlines,
  '0007-api': api,
  '0008-replay': replay,
  '0009-decisions': decisions,
  '0010-shipment-lists': shipmentLists,
  '0011-charges': charges,
  '0012-feed-number': feedNumber,
  '0013-replay-notes': replayNotes,
};

/** Decides about spend limits; its SQL stands beside the rule, in `orders/money/spend.ts`. */
export const SPEND_RULE = 'oms_decide_v1';
/**
 * The functions this release calls. Each has its version in its name, so that those of another release stay: roles of both
 * may run on one database during an upgrade, and after going back from one.
 */
const FUNCTIONS = [SPEND_RULE] as const;

/** The statements that create them. */
export type RuleFunctions = Readonly<Record<(typeof FUNCTIONS)[number], RawBuilder<unknown>>>;

function migrator(db: Database): Migrator {
  const provider = { getMigrations: () => Promise.resolve(MIGRATIONS) };
  // Numbers are given out before the work is done, so a later one may have been applied first; none needs another's order.
  return new Migrator({ db, provider, allowUnorderedMigrations: true });
}

/**
 * Brings the database up to this version; safe to run from several processes at once. Returns what was applied: of
 * migrations nothing where a later version has been at it, for they only ever add, so that one may go back to an earlier
 * image.
 */
export async function migrate(db: Database, functions: RuleFunctions): Promise<string[]> {
  return [...(await applyMigrations(db)), ...(await installFunctions(db, functions))];
}

async function applyMigrations(db: Database): Promise<string[]> {
  if (await isAhead(db)) {
    assertNoneMissing(await missingMigrations(db));
    return [];
  }
  const { error, results } = await migrator(db).migrateToLatest();
  if (error) throw error instanceof Error ? error : new Error(JSON.stringify(error));
  return (results ?? []).map((result) => result.migrationName);
}

/** Creates those that are not there. Of two processes at once the second waits, and then has nothing to do. */
async function installFunctions(db: Database, functions: RuleFunctions): Promise<string[]> {
  return db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(hashtextextended('oms functions', 0))`.execute(tx);
    const missing = await missingFunctions(tx);
    for (const name of missing) await functions[name].execute(tx);
    return missing;
  });
}

/** Whether it has migrations that this version does not know. */
async function isAhead(db: Database): Promise<boolean> {
  const { rows } = await sql<{ there: boolean }>`select to_regclass('kysely_migration') is not null as there`.execute(
    db,
  );
  if (!rows[0]?.there) return false;
  const applied = await sql<{ name: string }>`select name from kysely_migration`.execute(db);
  return applied.rows.some(({ name }) => !Object.hasOwn(MIGRATIONS, name));
}

/** @throws OmsError OMS_DATABASE_MIGRATION_BEHIND naming what is missing */
export async function assertMigrated(db: Database): Promise<void> {
  assertNoneMissing([...(await missingMigrations(db)), ...(await missingFunctions(db))]);
}

async function missingMigrations(db: Database): Promise<string[]> {
  const migrations = await migrator(db).getMigrations();
  return migrations.filter(({ executedAt }) => executedAt === undefined).map(({ name }) => name);
}

async function missingFunctions(db: Database): Promise<(typeof FUNCTIONS)[number][]> {
  const names = sql.join(FUNCTIONS.map((name) => sql`to_regproc(${name}) is not null`));
  const { rows } = await sql<{ there: boolean[] }>`select array[${names}] as there`.execute(db);
  return FUNCTIONS.filter((_, i) => !rows[0]?.there[i]);
}

function assertNoneMissing(missing: readonly string[]): void {
  if (missing.length === 0) return;
  throw new OmsError('OMS_DATABASE_MIGRATION_BEHIND', `database lacks ${missing.join(', ')}: run \`./oms setup\``);
}
