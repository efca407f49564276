import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { OmsError } from '../domain/errors.ts';
import type { Database } from './database.ts';

/** Where a deployment's id is kept, in words for the operator. */
export type DeploymentPlace = 'database' | 'Temporal namespace' | 'Kafka topic' | 'state directory';

/** The id found at each place; undefined where there is none. */
export type DeploymentMarks = Partial<Record<DeploymentPlace, string | undefined>>;

const REMEDY =
  'Point KAFKA_BROKERS, OMS_PREFIX, TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and DATABASE_URL at parts that belong together, ' +
  'or restore the database that belongs to these topics; if it is lost, `./oms rebuild` fills a new one from them. ' +
  '`./oms setup --adopt` marks all of them with the id of the ' +
  'database: only if you are sure, since a database without their ledger takes old orders for new ones.';

/** The id of the database, or undefined when it has none yet. */
export async function readDeploymentId(db: Database): Promise<string | undefined> {
  return (await db.selectFrom('deployment').select('id').executeTakeFirst())?.id;
}

/** The id of the database, which gets a random one when it has none. */
export async function ensureDeploymentId(db: Database): Promise<string> {
  await db
    .insertInto('deployment')
    .values({ id: randomUUID() })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const { id } = await db.selectFrom('deployment').select('id').executeTakeFirstOrThrow();
  return id;
}

/** Since when the ledger knows all orders of its topics; undefined when it has from the first on. */
export async function readLedgerSince(db: Database): Promise<Date | undefined> {
  return (await db.selectFrom('deployment').select('ledger_since').executeTakeFirst())?.ledger_since ?? undefined;
}

/** From now on the ledger knows the orders of topics that were another database's. */
export async function markLedgerSince(db: Database): Promise<void> {
  await db
    .updateTable('deployment')
    .set({ ledger_since: sql<Date>`clock_timestamp()` })
    .execute();
}

/**
 * Refuses parts of different deployments: a database whose ledger does not belong to the topics would start old orders
 * anew. Places without an id do not count; a database without one beside a place that has one does.
 * @throws OmsError OMS_DEPLOYMENT_MISMATCH naming the places, their ids and the remedy
 */
export function assertSameDeployment(marks: DeploymentMarks): void {
  const found = Object.entries(marks).filter(([, id]) => id !== undefined);
  const same = new Set(found.map(([, id]) => id)).size <= 1;
  if (same && (marks.database !== undefined || found.length === 0)) return;
  const places = Object.entries(marks).map(([place, id]) => `${place}: ${id ?? 'none'}`);
  throw new OmsError('OMS_DEPLOYMENT_MISMATCH', `parts of different deployments (${places.join(', ')}). ${REMEDY}`);
}

/**
 * What a role demands at its start: every place carries the same id.
 * @throws OmsError OMS_DEPLOYMENT_MISMATCH, also where `oms setup` has not been run yet
 */
export function assertDeployment(marks: DeploymentMarks): void {
  assertSameDeployment(marks);
  const missing = Object.entries(marks).flatMap(([place, id]) => (id === undefined ? [place] : []));
  if (missing.length === 0) return;
  throw new OmsError('OMS_DEPLOYMENT_MISMATCH', `no deployment id in ${missing.join(', ')}: run \`./oms setup\``);
}
