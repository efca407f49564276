import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import type { Migration } from 'kysely/migration';
import { OmsError } from '../domain/errors.ts';

/** Migrations that belong together: those of the OMS, or those of the simulated providers. */
export interface MigrationSet {
  /** By the name each is recorded under; names are never changed. */
  migrations: Readonly<Record<string, Migration>>;
  /** Where those that were applied are recorded. A second table beside it, `…_lock`, keeps two processes apart. */
  table: string;
}

/**
 * Applies what the database lacks; safe to run from several processes at once. Returns what was applied: nothing where a
 * later version has been at it, for migrations only ever add, so that one may go back to an earlier image. A set without
 * migrations leaves the database as it is, without even a table of its own.
 * @throws OmsError OMS_DATABASE_MIGRATION_BEHIND when a later version has been at it and left out what this one needs
 */
export async function applyMigrations<DB>(db: Kysely<DB>, set: MigrationSet): Promise<string[]> {
  if (Object.keys(set.migrations).length === 0) return [];
  if (await isAhead(db, set)) {
    assertNoneMissing(await missingMigrations(db, set));
    return [];
  }
  const { error, results } = await migrator(db, set).migrateToLatest();
  if (error) throw error instanceof Error ? error : new Error(JSON.stringify(error));
  return (results ?? []).map((result) => result.migrationName);
}

/** The names of those that were not applied yet. */
export async function missingMigrations<DB>(db: Kysely<DB>, set: MigrationSet): Promise<string[]> {
  const migrations = await migrator(db, set).getMigrations();
  return migrations.filter(({ executedAt }) => executedAt === undefined).map(({ name }) => name);
}

/** @throws OmsError OMS_DATABASE_MIGRATION_BEHIND naming what is missing */
export function assertNoneMissing(missing: readonly string[]): void {
  if (missing.length === 0) return;
  throw new OmsError('OMS_DATABASE_MIGRATION_BEHIND', `database lacks ${missing.join(', ')}: run \`./oms setup\``);
}

function migrator<DB>(db: Kysely<DB>, { migrations, table }: MigrationSet): Migrator {
  const provider = { getMigrations: () => Promise.resolve({ ...migrations }) };
  const tables = { migrationTableName: table, migrationLockTableName: `${table}_lock` };
  // Numbers are given out before the work is done, so a later one may have been applied first; none needs another's order.
  return new Migrator({ db, provider, ...tables, allowUnorderedMigrations: true });
}

/** Whether it has migrations that this version does not know. */
async function isAhead<DB>(db: Kysely<DB>, { migrations, table }: MigrationSet): Promise<boolean> {
  const { rows } = await sql<{ there: boolean }>`select to_regclass(${table}) is not null as there`.execute(db);
  if (!rows[0]?.there) return false;
  const applied = await sql<{ name: string }>`select name from ${sql.table(table)}`.execute(db);
  return applied.rows.some(({ name }) => !Object.hasOwn(migrations, name));
}
