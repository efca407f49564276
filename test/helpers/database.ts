import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import { openDatabase } from '../../database/database.ts';
import { migrate } from '../../database/migrate.ts';
import type { Tables } from '../../database/tables.ts';
import { FUNCTIONS } from '../../orders/money/spend.ts';
import type { SimulatorTables } from '../../providers/tables.ts';
import { testEnvironment } from './stack.ts';

/** The tables of the OMS, and beside them those of the simulated providers, which only tests look into. */
export type WholeDatabase = Kysely<Tables & SimulatorTables>;

/** A database of a test's own, migrated and empty, on the PostgreSQL of the stack under test. */
export interface TestDatabase {
  db: WholeDatabase;
  url: string;
  /** Closes it and deletes it, whoever is still connected. */
  drop: () => Promise<void>;
}

export async function createTestDatabase(poolSize = 16): Promise<TestDatabase> {
  const created = await createEmptyDatabase(poolSize);
  await migrate(created.db, FUNCTIONS);
  return created;
}

/** The same before any migration. */
export async function createEmptyDatabase(poolSize = 16): Promise<TestDatabase> {
  const serverUrl = testEnvironment().DATABASE_URL;
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await onServer(serverUrl, `create database ${name}`);
  return opened(serverUrl, name, poolSize);
}

function opened(serverUrl: string, name: string, poolSize: number): TestDatabase {
  const url = withDatabase(serverUrl, name);
  const db = openDatabase<Tables & SimulatorTables>({ url, poolSize, applicationName: 'oms-test' });
  const drop = async (): Promise<void> => {
    await db.destroy();
    await onServer(serverUrl, `drop database if exists ${name} with (force)`);
  };
  return { db, url, drop };
}

/** A copy of a database as it stands now, as a restored backup would be. Nobody may write to it meanwhile. */
export async function copyDatabase(url: string): Promise<TestDatabase> {
  const serverUrl = testEnvironment().DATABASE_URL;
  const [name, template] = [`test_${randomUUID().replaceAll('-', '')}`, nameOf(url)];
  await onServer(serverUrl, kick(template));
  await onServer(serverUrl, `create database ${name} template ${template}`);
  return opened(serverUrl, name, 4);
}

/** Puts a copy in a database's place, under those who use it. The old one is gone then. */
export async function putInPlaceOf(url: string, copy: TestDatabase): Promise<void> {
  const serverUrl = testEnvironment().DATABASE_URL;
  await copy.db.destroy();
  await onServer(serverUrl, `alter database ${nameOf(url)} with allow_connections false`);
  await onServer(serverUrl, `drop database ${nameOf(url)} with (force)`);
  await onServer(serverUrl, `alter database ${nameOf(copy.url)} rename to ${nameOf(url)}`);
}

const nameOf = (url: string): string => new URL(url).pathname.slice(1);

const kick = (name: string): string =>
  `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`;

function withDatabase(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

async function onServer(url: string, statement: string): Promise<void> {
  const server = openDatabase({ url, poolSize: 1, applicationName: 'oms-test' });
  try {
    await sql.raw(statement).execute(server);
  } finally {
    await server.destroy();
  }
}
