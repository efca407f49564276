import { sql } from 'kysely';
import { transaction } from '../../database/database.ts';
import type { Database } from '../../database/database.ts';
import {
  assertSameDeployment,
  endRebuilding,
  markRebuilding,
  readRebuilding,
} from '../../database/deployment/deployment.ts';
import { OmsError, faultError } from '../../domain/errors.ts';
import type { TopicMark } from '../../kafka/admin/deployment-mark.ts';
import { logEnds } from '../../kafka/admin/log-ends.ts';
import { CONSUMER_GROUPS, groupName, topicNames } from '../../kafka/topics.ts';
import { readMark, readMarks } from '../../resources/deployment.ts';
import type { Parts } from '../../resources/deployment.ts';

/** What is being rebuilt. */
export interface Admitted {
  mark: TopicMark;
  /** The database is an older one of the deployment, not a new one. */
  isBackup: boolean;
}

/**
 * The deployment whose database was lost; the database is noted as being filled for it, and one that is a backup lets go of
 * its open orders, so that each gets a new run. One that was cut off goes on, whichever it was.
 * @throws OmsError OMS_REBUILD_REFUSED, OMS_DEPLOYMENT_MISMATCH: nothing has been changed then
 */
export async function admitRebuild(parts: Parts, ontoBackup: boolean): Promise<Admitted> {
  const mark = await readMark(parts);
  if (!mark) throw refused('the topics carry no deployment id: there is nothing to rebuild from');
  const { id } = mark;
  const { database, ...marks } = await readMarks(parts, Promise.resolve(mark));
  assertSameDeployment({ ...marks, database: id });
  const isUnderWay = (await readRebuilding(parts.db)) === id;
  if (!isUnderWay) await assertBeginning(parts, database, id, ontoBackup);
  await assertNobodyWorks(parts);
  const isBackup = database !== undefined;
  await transaction(parts.db, async (tx) => {
    await markRebuilding(tx, id);
    if (isBackup && !isUnderWay) await letGoOfOpen(tx);
  });
  return { mark, isBackup };
}

async function assertBeginning(
  parts: Parts,
  database: string | undefined,
  id: string,
  ontoBackup: boolean,
): Promise<void> {
  if (database !== undefined && database !== id) throw refused(`the database belongs to deployment ${database}`);
  if (ontoBackup && database === undefined)
    throw refused('the database is no backup: it has no deployment id. Without --onto-backup a new one is filled');
  if (!ontoBackup && database !== undefined)
    throw refused(`the database is that of deployment ${id}: if it is an older backup, say --onto-backup`);
  if (!ontoBackup && (await hasLedger(parts)))
    throw refused('the database has a ledger: rebuild fills a new one, or a backup with --onto-backup');
}

const refused = (why: string): OmsError => new OmsError('OMS_REBUILD_REFUSED', why);

async function hasLedger({ db }: Parts): Promise<boolean> {
  const { rows } = await sql<{ has: boolean }>`
    select exists (select from ledger) or exists (select from orders) as has
  `.execute(db);
  return rows[0]?.has ?? true;
}

/** Roles, by the names they give their connections. */
const ROLES = ['oms-ingest', 'oms-worker', 'oms-publisher', 'oms-publisher-locks', 'oms-api'];

async function assertNobodyWorks({ admin, config, db }: Parts): Promise<void> {
  const ids = Object.values(CONSUMER_GROUPS).map((role) => groupName(config.OMS_PREFIX, role));
  const { groups } = await admin.describeGroups(ids);
  const active = groups.filter(({ members }) => members.length > 0).map(({ groupId }) => groupId);
  if (active.length > 0) throw refused(`stop \`oms ingest\` first: ${active.join(', ')} is being read`);
  const { rows } = await sql<{ name: string }>`
    select distinct application_name as name from pg_stat_activity
    where datname = current_database() and application_name = any(${ROLES}::text[]) order by 1
  `.execute(db);
  if (rows.length > 0)
    throw refused(`stop all roles first: ${rows.map(({ name }) => name).join(', ')} has the database`);
}

/**
 * Credit notes stand on `invoices` only: where that has forgotten its first records and shows none, nobody knows their
 * next number.
 * @throws OmsError OMS_REBUILD_INCOMPLETE
 */
export async function assertCreditNotesKnown({ admin, db, config }: Parts, given: number | undefined): Promise<void> {
  if (given !== undefined) return;
  const known = await db.selectFrom('outbox').select('id').where('type', '=', 'CreditNoteIssued').executeTakeFirst();
  if (known) return;
  const topic = topicNames(config.OMS_PREFIX).invoices;
  const hasForgotten = (await logEnds(admin, topic)).some(({ low }) => BigInt(low) > 0n);
  if (!hasForgotten) return;
  const rule = `must be given: ${topic} has forgotten its oldest records and shows no credit note`;
  throw faultError('OMS_REBUILD_INCOMPLETE', { field: '--next-credit-note', value: null, rule });
}

/** It is filled: roles may start. */
export function endRebuild({ db }: Parts, id: string): Promise<void> {
  return transaction(db, (tx) => endRebuilding(tx, id));
}

/**
 * Every order that has not ended is to get a new run: the one it has remembers more than a backup knows, and would wait
 * for that for ever.
 */
async function letGoOfOpen(tx: Database): Promise<void> {
  await sql`update ledger set state = 'claimed', run_id = null where state in ('claimed', 'started')`.execute(tx);
}
