import { Migrator } from 'kysely/migration';
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
import * as charges from './migrations/0011-charges.ts';
import * as replayNotes from './migrations/0012-replay-notes.ts';

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
  '0011-charges': charges,
  '0012-replay-notes': replayNotes,
};

function migrator(db: Database): Migrator {
  const provider = { getMigrations: () => Promise.resolve(MIGRATIONS) };
  // Numbers are given out before the work is done, so a later one may have been applied first; none needs another's order.
  return new Migrator({ db, provider, allowUnorderedMigrations: true });
}

/** Brings the database up to this version; safe to run from several processes at once. Returns what was applied. */
export async function migrate(db: Database): Promise<string[]> {
  const { error, results } = await migrator(db).migrateToLatest();
  if (error) throw error instanceof Error ? error : new Error(JSON.stringify(error));
  return (results ?? []).map((result) => result.migrationName);
}

/** @throws OmsError OMS_DATABASE_MIGRATION_BEHIND naming what is missing */
export async function assertMigrated(db: Database): Promise<void> {
  const missing = (await migrator(db).getMigrations()).filter((migration) => migration.executedAt === undefined);
  if (missing.length === 0) return;
  const names = missing.map((migration) => migration.name).join(', ');
  throw new OmsError('OMS_DATABASE_MIGRATION_BEHIND', `database lacks ${names}: run \`./oms setup\``);
}
