import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import { applyMigrations } from '../../../database/apply-migrations.ts';
import type { MigrationSet } from '../../../database/apply-migrations.ts';
import { assertMigrated } from '../../../database/migrate.ts';
import { SIMULATOR_MIGRATIONS } from '../../../providers/migrations.ts';
import { setUpProviders } from '../../../resources/providers.ts';
import { createTestDatabase } from '../../helpers/database.ts';
import type { TestDatabase } from '../../helpers/database.ts';

const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`create table simulated_moods (key text primary key)`.execute(db);
};
const MADE_UP: MigrationSet = { ...SIMULATOR_MIGRATIONS, migrations: { '0001-moods': { up } } };

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.drop());

const tables = async (): Promise<string[]> => {
  const { rows } = await sql<{ name: string }>`
    select table_name as name from information_schema.tables where table_schema = 'public'`.execute(test.db);
  return rows.map(({ name }) => name).toSorted();
};
const recorded = async (table: string): Promise<string[]> => {
  const { rows } = await sql<{ name: string }>`select name from ${sql.table(table)}`.execute(test.db);
  return rows.map(({ name }) => name);
};

describe('The simulators’ migrations', () => {
  it('create nothing while there are none', async () => {
    const before = await tables();
    expect(await setUpProviders(test.db)).toEqual([]);
    expect(await tables()).toEqual(before);
    expect(before.filter((name) => name.includes('migration'))).toEqual(['kysely_migration', 'kysely_migration_lock']);
  });

  it('are applied once, and recorded in a table of their own', async () => {
    const before = await tables();
    const applied = await Promise.all([applyMigrations(test.db, MADE_UP), applyMigrations(test.db, MADE_UP)]);
    expect(applied.flat()).toEqual(['0001-moods']);
    expect(await applyMigrations(test.db, MADE_UP)).toEqual([]);
    const created = ['simulated_moods', 'simulator_migration', 'simulator_migration_lock'];
    expect(await tables()).toEqual([...before, ...created].toSorted());
    expect(await recorded('simulator_migration')).toEqual(['0001-moods']);
  });

  it('leave those of the OMS as they are', async () => {
    expect(await recorded('kysely_migration')).not.toContain('0001-moods');
    await assertMigrated(test.db);
  });

  it('are left alone where a later version has been at them, unless one is lacking', async () => {
    await sql`insert into simulator_migration (name, timestamp) values ('9999-later', now()::text)`.execute(test.db);
    expect(await applyMigrations(test.db, MADE_UP)).toEqual([]);
    await sql`delete from simulator_migration where name = '0001-moods'`.execute(test.db);
    await expect(applyMigrations(test.db, MADE_UP)).rejects.toMatchObject({ code: 'OMS_DATABASE_MIGRATION_BEHIND' });
  });
});
