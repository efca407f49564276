import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { OmsError } from '../../domain/errors.ts';
import type { Database } from '../database.ts';
import { isRefused } from '../read/dead-letters.ts';

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

/** Ids that the deployment's topics had before its own. */
const EARLIER = 'deployment.earlier';

/** Keeps ids that the topics had before they had `id`, and returns all of them: their history is the deployment's. */
export async function keepEarlierIds(db: Database, id: string, ids: readonly string[]): Promise<string[]> {
  const row = await db.selectFrom('settings').select('value').where('name', '=', EARLIER).executeTakeFirst();
  const known = (row?.value as string[] | undefined) ?? [];
  const all = [...new Set([...known, ...ids])].filter((one) => one !== id);
  if (all.length > known.length) await writeSetting(db, EARLIER, all);
  return all;
}

async function writeSetting(db: Database, name: string, content: unknown): Promise<void> {
  const value = JSON.stringify(content);
  await db
    .insertInto('settings')
    .values({ name, value })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
    .execute();
}

/** Written while a rebuild is under way, so that no role starts and one that was cut off may be begun again. */
const REBUILDING = 'rebuild.deployment';

/** The deployment a rebuild that has not ended fills the database for. */
export async function readRebuilding(db: Database): Promise<string | undefined> {
  const row = await db.selectFrom('settings').select('value').where('name', '=', REBUILDING).executeTakeFirst();
  return row?.value as string | undefined;
}

export async function markRebuilding(tx: Database, id: string): Promise<void> {
  await writeSetting(tx, REBUILDING, id);
}

/** The database is filled, and is the deployment's. */
export async function endRebuilding(tx: Database, id: string): Promise<void> {
  await tx
    .insertInto('deployment')
    .values({ id })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await tx.deleteFrom('settings').where('name', '=', REBUILDING).execute();
}

/** @throws OmsError OMS_REBUILD_UNDER_WAY */
export async function assertNotRebuilding(db: Database): Promise<void> {
  if ((await readRebuilding(db)) === undefined) return;
  const rule = 'a rebuild of this database was begun and has not ended: run `./oms rebuild` again, it goes on';
  throw new OmsError('OMS_REBUILD_UNDER_WAY', rule);
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

/**
 * Another text when what answers is another server, the server was started again, or database or tables were made anew: all
 * ways in which a backup, or a replica that lacks the newest transactions, comes into the place of a database.
 */
export async function readIdentity(db: Database): Promise<string> {
  const { rows } = await sql<{ identity: string }>`
    select concat_ws('/', inet_server_addr(), inet_server_port(), pg_postmaster_start_time(), oid, to_regclass('deployment')::oid)
      as identity
    from pg_database where datname = current_database()
  `.execute(db);
  return rows[0]?.identity ?? '';
}

/** An offset for each partition of each topic (without prefix). */
export type TopicOffsets = Record<string, Record<string, string>>;

const ACCOUNTED = 'topics.accounted';

/**
 * Up to where the records of our topics are accounted for whatever the outbox says: told under another ledger that was
 * adopted, or taken in as far as they can be by a rebuild.
 */
export async function readAccounted(db: Database): Promise<TopicOffsets> {
  const row = await db.selectFrom('settings').select('value').where('name', '=', ACCOUNTED).executeTakeFirst();
  return (row?.value as TopicOffsets | undefined) ?? {};
}

/** Topics that are not given stay as they were accounted for. */
export async function writeAccounted(db: Database, offsets: TopicOffsets): Promise<void> {
  const value = JSON.stringify({ ...(await readAccounted(db)), ...offsets });
  await db
    .insertInto('settings')
    .values({ name: ACCOUNTED, value })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
    .execute();
}

/** Newest rows whose times are compared: the oldest of them counts, should the database's clock have been set back. */
const NEWEST = 100;

/** When the newest events of orders were written, database time in ms; undefined in an empty outbox. */
export async function newestToldAt(db: Database): Promise<number | undefined> {
  const { rows } = await sql<{ at: Date | null }>`
    select min(created_at) as at from (
      select created_at from outbox where version is not null order by id desc limit ${NEWEST}
    ) as newest
  `.execute(db);
  return rows[0]?.at?.getTime();
}

/** Which of these event ids the outbox does not have. */
export async function untoldEvents(db: Database, eventIds: readonly string[]): Promise<Set<string>> {
  const { rows } = await sql<{ eventId: string }>`
    select given.event_id as "eventId" from unnest(${[...eventIds]}::text[]) as given(event_id)
    where not exists (select from outbox where outbox.event_id = given.event_id)
  `.execute(db);
  return new Set(rows.map(({ eventId }) => eventId));
}

/** A record by the order id that is its key, and the id of the dead letter it would be. */
interface TakenRecord {
  orderId: string | null;
  deadLetterId: string;
}

/** Of records that ingest has committed, those the database knows nothing of: their positions in the input. */
export async function untakenRecords(db: Database, records: readonly TakenRecord[]): Promise<number[]> {
  const { rows } = await sql<{ position: number }>`
    select given.position::int as position
    from unnest(${records.map((r) => r.orderId)}::text[], ${records.map((r) => r.deadLetterId)}::text[])
      with ordinality as given(order_id, letter_id, position)
    where not exists (select from ledger where ledger.order_id = given.order_id)
      and not ${isRefused(sql`given.letter_id`, sql`given.order_id`)}
    order by position
  `.execute(db);
  return rows.map(({ position }) => position - 1);
}
