import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Database } from '../../../database/database.ts';
import { assertMigrated, migrate } from '../../../database/migrate.ts';
import { lossesSince020 } from '../../frozen/compare.ts';
import { tableNames } from '../../frozen/tables.ts';
import { createTestDatabase } from '../../helpers/database.ts';

let db: Database;
let drop: () => Promise<void>;
beforeAll(async () => {
  ({ db, drop } = await createTestDatabase());
});
afterAll(() => drop());

describe('A migrated database', () => {
  it('has every table and column of version 0.2.0, with its type', async () => {
    expect(lossesSince020('tables', await tableNames(db))).toBe('');
  });
});

describe('A database that a later version has migrated', () => {
  beforeAll(() => sql`insert into kysely_migration (name, timestamp) values ('9999-later', now()::text)`.execute(db));

  it('is one that set-up and roles of this version go on with', async () => {
    expect(await migrate(db)).toEqual([]);
    await assertMigrated(db);
  });

  it('is refused if it lacks what this version needs', async () => {
    await sql`delete from kysely_migration where name = '0002-expect'`.execute(db);
    await expect(migrate(db)).rejects.toMatchObject({ code: 'OMS_DATABASE_MIGRATION_BEHIND' });
  });
});
