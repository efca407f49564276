import { sql } from 'kysely';
import { assertSameDeployment } from '../../database/deployment.ts';
import { OmsError, faultError } from '../../domain/errors.ts';
import { groupName, topicNames } from '../../kafka/topics.ts';
import { readMarks } from '../setup/deployment.ts';
import type { Parts } from '../setup/deployment.ts';

/** Written while a rebuild is under way, so that one that was cut off may be begun again. */
const UNDER_WAY = 'rebuild.deployment';

/**
 * The id of the deployment whose database was lost; the database is noted as being filled for it.
 * @throws OmsError OMS_REBUILD_REFUSED, OMS_DEPLOYMENT_MISMATCH: nothing has been changed then
 */
export async function admitRebuild(parts: Parts): Promise<string> {
  const { database, ...marks } = await readMarks(parts);
  const id = marks['Kafka topic'];
  if (id === undefined) throw refused('the topics carry no deployment id: there is nothing to rebuild from');
  assertSameDeployment({ ...marks, database: id });
  if (database !== undefined)
    throw refused(`the database belongs to deployment ${database}: rebuild fills a new one only`);
  const underWay = await readUnderWay(parts);
  if (underWay !== id && (await hasLedger(parts)))
    throw refused('the database has a ledger: rebuild fills a new one only');
  await assertNobodyReads(parts);
  await parts.db
    .insertInto('settings')
    .values({ name: UNDER_WAY, value: JSON.stringify(id) })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value: JSON.stringify(id) }))
    .execute();
  return id;
}

const refused = (why: string): OmsError => new OmsError('OMS_REBUILD_REFUSED', why);

async function readUnderWay({ db }: Parts): Promise<unknown> {
  return (await db.selectFrom('settings').select('value').where('name', '=', UNDER_WAY).executeTakeFirst())?.value;
}

async function hasLedger({ db }: Parts): Promise<boolean> {
  const { rows } = await sql<{ has: boolean }>`
    select exists (select from ledger) or exists (select from orders) as has
  `.execute(db);
  return rows[0]?.has ?? true;
}

async function assertNobodyReads({ admin, config }: Parts): Promise<void> {
  const ids = ['ingest', 'stock', 'carrier'].map((role) => groupName(config.OMS_PREFIX, role));
  const { groups } = await admin.describeGroups(ids);
  const active = groups.filter(({ members }) => members.length > 0).map(({ groupId }) => groupId);
  if (active.length > 0) throw refused(`stop \`oms ingest\` first: ${active.join(', ')} is being read`);
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
  const hasForgotten = (await admin.fetchTopicOffsets(topic)).some(({ low }) => BigInt(low) > 0n);
  if (!hasForgotten) return;
  const rule = `must be given: ${topic} has forgotten its oldest records and shows no credit note`;
  throw faultError('OMS_REBUILD_INCOMPLETE', { field: '--next-credit-note', value: null, rule });
}

/** It is filled: roles may start. */
export async function endRebuild({ db }: Parts, id: string): Promise<void> {
  await db.insertInto('deployment').values({ id }).execute();
  await db.deleteFrom('settings').where('name', '=', UNDER_WAY).execute();
}
