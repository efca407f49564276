import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Database } from '../../../database/database.ts';
import { SPEND_RULE, assertMigrated, migrate } from '../../../database/migrate.ts';
import { FUNCTIONS } from '../../../orders/money/spend.ts';
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

describe('The rule of the spend limit', () => {
  const body = async (name: string): Promise<string | undefined> => {
    const { rows } = await sql<{ prosrc: string }>`select prosrc from pg_proc where proname = ${name}`.execute(db);
    return rows[0]?.prosrc;
  };

  it('is in the database under its version, in the words of version 0.2.0, whose own functions stay', async () => {
    expect(await body(SPEND_RULE)).toBe(await body('oms_decide'));
    expect(await body('oms_draw')).toContain('oms_decide(');
  });

  it('is missed by set-up’s check, and installed by the next set-up, of many at once by one', async () => {
    await sql`drop function ${sql.ref(SPEND_RULE)}`.execute(db);
    const refused = { code: 'OMS_DATABASE_MIGRATION_BEHIND', message: expect.stringContaining(SPEND_RULE) as unknown };
    await expect(assertMigrated(db)).rejects.toMatchObject(refused);
    const applied = await Promise.all(Array.from({ length: 8 }, () => migrate(db, FUNCTIONS)));
    expect(applied.flat()).toEqual([SPEND_RULE]);
    await assertMigrated(db);
  });
});

describe('A database that a later version has migrated', () => {
  beforeAll(() => sql`insert into kysely_migration (name, timestamp) values ('9999-later', now()::text)`.execute(db));

  it('is one that set-up and roles of this version go on with', async () => {
    expect(await migrate(db, FUNCTIONS)).toEqual([]);
    await assertMigrated(db);
  });

  it('is refused if it lacks what this version needs', async () => {
    await sql`delete from kysely_migration where name = '0002-expect'`.execute(db);
    await expect(migrate(db, FUNCTIONS)).rejects.toMatchObject({ code: 'OMS_DATABASE_MIGRATION_BEHIND' });
  });
});
