import { sql } from 'kysely';
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

function migrator(db: Database): Migrator {
  const provider = { getMigrations: () => Promise.resolve(MIGRATIONS) };
  // Numbers are given out before the work is done, so a later one may have been applied first; none needs another's order.
  return new Migrator({ db, provider, allowUnorderedMigrations: true });
}

/**
 * Brings the database up to this version; safe to run from several processes at once. Returns what was applied: nothing
 * where a later version has been at it, for migrations only ever add, so that one may go back to an earlier image.
 */
export async function migrate(db: Database): Promise<string[]> {
  if (await isAhead(db)) {
    await assertMigrated(db);
    return [];
  }
  const { error, results } = await migrator(db).migrateToLatest();
  if (error) throw error instanceof Error ? error : new Error(JSON.stringify(error));
  return (results ?? []).map((result) => result.migrationName);
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
  const missing = (await migrator(db).getMigrations()).filter((migration) => migration.executedAt === undefined);
  if (missing.length === 0) return;
  const names = missing.map((migration) => migration.name).join(', ');
  throw new OmsError('OMS_DATABASE_MIGRATION_BEHIND', `database lacks ${names}: run \`./oms setup\``);
}
