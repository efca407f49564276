import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import { applyMigrations, assertNoneMissing, missingMigrations } from './apply-migrations.ts';
import type { MigrationSet } from './apply-migrations.ts';
import type { Database } from './database.ts';
import { MIGRATIONS } from './migrations/index.ts';

/** Recorded under the library's own name. */
const OMS_MIGRATIONS: MigrationSet = { table: 'kysely_migration', migrations: MIGRATIONS };

/** Decides about spend limits; its SQL stands beside the rule, in `orders/money/spend.ts`. */
export const SPEND_RULE = 'oms_decide_v1';
/**
 * The functions this release calls. Each has its version in its name, so that those of another release stay: roles of both
 * may run on one database during an upgrade, and after going back from one.
 */
const FUNCTIONS = [SPEND_RULE] as const;

/** The statements that create them. */
export type RuleFunctions = Readonly<Record<(typeof FUNCTIONS)[number], RawBuilder<unknown>>>;

/**
 * Brings the database up to this version; safe to run from several processes at once. Returns what was applied: of
 * migrations nothing where a later version has been at it, for they only ever add, so that one may go back to an earlier
 * image.
 */
export async function migrate(db: Database, functions: RuleFunctions): Promise<string[]> {
  return [...(await applyMigrations(db, OMS_MIGRATIONS)), ...(await installFunctions(db, functions))];
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

/** @throws OmsError OMS_DATABASE_MIGRATION_BEHIND naming what is missing */
export async function assertMigrated(db: Database): Promise<void> {
  assertNoneMissing([...(await missingMigrations(db, OMS_MIGRATIONS)), ...(await missingFunctions(db))]);
}

async function missingFunctions(db: Database): Promise<(typeof FUNCTIONS)[number][]> {
  const names = sql.join(FUNCTIONS.map((name) => sql`to_regproc(${name}) is not null`));
  const { rows } = await sql<{ there: boolean[] }>`select array[${names}] as there`.execute(db);
  return FUNCTIONS.filter((_, i) => !rows[0]?.there[i]);
}
