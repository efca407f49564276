import { setTimeout as delay } from 'node:timers/promises';
import { Kysely, PostgresDialect, sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import pg from 'pg';
import { OmsError } from '../domain/errors.ts';
import type { OrderStatus, PaymentStatus, ShipmentStatus } from '../domain/status.ts';
import type { Tables } from './tables.ts';
import type { LedgerState } from './tables/ledger.ts';
import type { ReplaysTable } from './tables/replays.ts';

export type Database = Kysely<Tables>;

// bigint columns hold counts, versions and minor units: all below 2^53 by rule, so they are read as numbers.
const INT8_OID = 20;
const types = new pg.TypeOverrides();
types.setTypeParser(INT8_OID, Number);

export interface OpenDatabaseOptions {
  url: string;
  /** Most connections at once. */
  poolSize: number;
  /** Shown in pg_stat_activity. */
  applicationName: string;
}

/**
 * A pool of connections to the database, by default typed with the tables of the OMS. Connections are made when first
 * needed; `destroy()` closes them all.
 */
export function openDatabase<DB = Tables>(options: OpenDatabaseOptions): Kysely<DB> {
  const pool = new pg.Pool({
    Client: preparingClient(),
    connectionString: options.url,
    max: options.poolSize,
    application_name: options.applicationName,
    connectionTimeoutMillis: 10_000,
    types,
  });
  // An idle connection that breaks is replaced at the next use; without a listener it would end the process.
  pool.on('error', () => undefined);
  // So does one that breaks while it is in use: its query fails, which is how we learn of it.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return new Kysely<DB>({ dialect: new PostgresDialect({ pool }) });
}

/** SQLSTATEs after which the same work may simply be done again. */
const SERIALIZATION_FAILURES = new Set(['40001', '40P01']);
const MAX_ATTEMPTS = 20;
/** The first attempts follow at once; when many want the same row, the later ones keep apart. */
const PATIENT_FROM = 3;
const PAUSE_MS = 10;

/**
 * Runs `work` in one transaction; serialization failures and deadlocks are retried, so `work` must have no effect but
 * through `tx`.
 * @throws OmsError OMS_DATABASE_UNAVAILABLE when the database is away; other errors as they are
 */
export function transaction<T, DB = Tables>(db: Kysely<DB>, work: (tx: Kysely<DB>) => Promise<T>): Promise<T> {
  return retrying(() => db.transaction().execute((tx) => work(tx)));
}

/**
 * Runs `work` again after a serialization failure or deadlock: here and nowhere else. For work whose one writing
 * statement fails as a whole when what it was decided on has changed.
 * @throws OmsError OMS_DATABASE_UNAVAILABLE when the database is away; other errors as they are
 */
export async function retrying<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= MAX_ATTEMPTS || !SERIALIZATION_FAILURES.has(sqlState(error) ?? '')) throw databaseError(error);
      if (attempt >= PATIENT_FROM) await delay(Math.random() * PAUSE_MS * attempt);
    }
  }
}

export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}

const SOCKET_FAILURES = /^(ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENOTFOUND|EAI_AGAIN)/;
// Connection exceptions, insufficient resources, operator intervention, system error.
const ENVIRONMENT_CLASSES = ['08', '53', '57', '58'];

/** Names what is the environment's: a database that is away, full or shutting down. Anything else is returned as it is. */
export function databaseError(error: unknown): unknown {
  if (error instanceof OmsError) return error;
  const state = sqlState(error) ?? '';
  const message = error instanceof Error ? error.message : String(error);
  const away =
    SOCKET_FAILURES.test(state) ||
    ENVIRONMENT_CLASSES.includes(state.slice(0, 2)) ||
    /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error/.test(
      message,
    );
  return away ? new OmsError('OMS_DATABASE_UNAVAILABLE', `database: ${message}`, { cause: error }) : error;
}

/** What `work` comes to. @throws what it throws, named by `databaseError` */
export async function orUnavailable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw databaseError(error);
  }
}

/** Texts remembered at most, so that statements whose text varies with their input cannot fill the server's memory. */
const MAX_PREPARED = 300;

const ANEW = '/* planned anew */';

/**
 * Begins a statement that is planned for its very values each time: one plan for all of them, which is what a prepared
 * statement may end with, would be good for a common customer and bad for a rare one.
 */
export const PLANNED_ANEW = sql.raw(ANEW);

/**
 * A pool's client that prepares statements which come again, once a connection: planning one costs PostgreSQL more than
 * running it. A text is prepared from its second use on.
 */
function preparingClient(): typeof pg.Client {
  const names = new Map<string, string | null>();
  const nameOf = (text: string): string | undefined => {
    const known = names.get(text);
    if (known) return known;
    if (known === undefined) {
      if (text.startsWith(ANEW)) return undefined;
      if (names.size < MAX_PREPARED) names.set(text, null);
      return undefined;
    }
    const name = `oms_${++prepared}`;
    names.set(text, name);
    return name;
  };
  let prepared = 0;
  return class extends pg.Client {
    override query(...given: unknown[]): never {
      const [text, values] = given;
      const name = typeof text === 'string' && Array.isArray(values) && given.length === 2 ? nameOf(text) : undefined;
      const args = name ? [{ name, text, values }] : given;
      return super.query(...(args as Parameters<pg.Client['query']>)) as never;
    }
  };
}

/** Rows of plain values as a table `r`: one parameter whatever their number, so that the statement's text stays the same. */
export function rowsOf(rows: readonly unknown[], columns: string): RawBuilder<unknown> {
  return sql`json_to_recordset(${JSON.stringify(rows)}::json) as r(${sql.raw(columns)})`;
}

/**
 * Statuses of a column as the words of a statement: `state in (${ledgerState('claimed', 'started')})`. Typed, so that the
 * compiler finds every statement that a renamed status stands in. They are literals of its text, not parameters, because
 * only those match the condition of a partial index.
 */
const literals =
  <T extends string>() =>
  (...statuses: T[]): RawBuilder<T> =>
    sql.join(statuses.map((status) => sql.lit(status)));

export const ledgerState = literals<LedgerState>();
export const orderStatus = literals<OrderStatus>();
export const shipmentStatus = literals<ShipmentStatus>();
export const paymentStatus = literals<PaymentStatus>();
export const replayState = literals<ReplaysTable['state']>();
export const replayMode = literals<ReplaysTable['mode']>();
