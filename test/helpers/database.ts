import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { openDatabase } from '../../database/database.ts';
import type { Database } from '../../database/database.ts';
import { migrate } from '../../database/migrate.ts';
import { testEnvironment } from './stack.ts';

export interface TestDatabase {
  db: Database;
  url: string;
  drop(): Promise<void>;
}

/** A fresh, migrated database on the stack's PostgreSQL, all of a test's own. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const server = openDatabase({ url: testEnvironment().DATABASE_URL, poolSize: 1, applicationName: 'oms-test' });
  await sql`create database ${sql.ref(name)}`.execute(server);
  const url = new URL(testEnvironment().DATABASE_URL);
  url.pathname = `/${name}`;
  const db = openDatabase({ url: url.href, poolSize: 10, applicationName: 'oms-test' });
  await migrate(db);
  return {
    db,
    url: url.href,
    drop: async () => {
      await db.destroy();
      await sql`drop database ${sql.ref(name)} with (force)`.execute(server);
      await server.destroy();
    },
  };
}
