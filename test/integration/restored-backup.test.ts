import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import type { AuditReport } from '../../operations/audit/audit.ts';
import type { RebuildResult } from '../../operations/rebuild/run-rebuild.ts';
import { readStock } from '../../orders/stock/stock-levels.ts';
import { checkDeployment } from '../../resources/deployment.ts';
import { copyDatabase } from '../helpers/database.ts';
import type { TestDatabase } from '../helpers/database.ts';
import { createDeployment, runCommand } from '../helpers/deployment.ts';
import type { CommandResult, Deployment, RoleProcess } from '../helpers/deployment.ts';
import { effectCounts } from '../helpers/end-state.ts';
import { PATIENT, createFlow } from '../helpers/flow.ts';
import type { Flow } from '../helpers/flow.ts';
import { giveProvidersTheirMemory, stateOf } from '../helpers/told-state.ts';
import { waitFor } from '../helpers/wait.ts';

/** A deployment of which a backup was taken while orders of every kind were on their way, and which went on. */
let lost: Deployment;
let flow: Flow;
let backup: TestDatabase;
/** The same deployment, on the restored backup. */
let restored: Deployment;
let before: Map<string, unknown>;

const ROLES = ['ingest', 'worker', 'publisher'] as const;
const WAITING = ['waiting-1', 'waiting-2'];
const ENDED = ['done-before', 'done-after', 'cancelled-after', 'new-done'];
const ALL = [...WAITING, ...ENDED, 'new-open'];
const WHY = ['--why', 'the backup of this morning was restored'];

const omsOn = (url: string, ...words: string[]): Promise<CommandResult> =>
  runCommand(words, { ...lost.environment, DATABASE_URL: url });
const oms = (...words: string[]): Promise<CommandResult> => omsOn(backup.url, ...words);
/** Differences, but for the records that are not ours. */
const audit = async (): Promise<AuditReport['differences']> => {
  const { stdout } = await oms('audit', '--json', '--grace', '0', '--settle', '0');
  const { differences } = JSON.parse(stdout) as AuditReport;
  return differences.filter(({ code }) => !['OMS_AUDIT_RECORD_UNKNOWN', 'OMS_AUDIT_LETTER_UNKNOWN'].includes(code));
};
const withRoles = async (work: () => Promise<void>): Promise<void> => {
  const roles = await Promise.all(ROLES.map((role) => lost.start(role)));
  await work();
  await flow.published();
  await waitFor('everything to be read', async () => (await lost.lag()) === 0);
  await Promise.all(roles.map((role: RoleProcess) => role.stop()));
};
/** Copies take no time in a test: whole databases that differ by one thing each. */
async function withCopy(work: (copy: TestDatabase) => Promise<void>): Promise<void> {
  const copy = await copyDatabase(lost.environment['DATABASE_URL'] ?? '');
  try {
    await work(copy);
  } finally {
    await copy.drop();
  }
}
/** By what every role asks before it starts. */
const isRefused = async ({ url }: TestDatabase): Promise<boolean> => {
  try {
    await checkDeployment({ ...lost.config, DATABASE_URL: url });
    return false;
  } catch (error) {
    expect(error).toMatchObject({ code: 'OMS_DATABASE_BEHIND', retryable: false });
    return true;
  }
};

beforeAll(async () => {
  lost = await createDeployment(PATIENT);
  flow = await createFlow(lost);
  await withRoles(async () => {
    await flow.booked(...WAITING, 'done-before', 'done-after', 'cancelled-after');
    await flow.delivered('done-before');
  });
  await lost.oms(['limits', 'set', '900', '--customer', 'kept', '--currency', 'GBP']);
  backup = await copyDatabase(lost.environment['DATABASE_URL'] ?? '');
  await withRoles(async () => {
    await flow.delivered('done-after');
    await flow.cancelled('cancelled-after');
    await flow.booked('new-done', 'new-open');
    await flow.delivered('new-done');
    await flow.send('orders', { key: 'garbage', value: Buffer.from('no Avro') });
  });
  before = new Map();
  for (const id of ALL) before.set(id, await stateOf(lost.db, id));
  await giveProvidersTheirMemory(lost.db, backup.db);
  restored = { ...lost, db: backup.db, environment: { ...lost.environment, DATABASE_URL: backup.url } };
}, 480_000);
afterAll(async () => {
  await flow?.close();
  await lost?.drop();
  await backup?.drop();
});

const newestEvent = (db: Database): Promise<{ id: number }> =>
  db.selectFrom('outbox').select('id').orderBy('id', 'desc').limit(1).executeTakeFirstOrThrow();

describe('a database is compared with the topics', () => {
  it('and is not refused when it knows them, whatever else stands there', async () => {
    await flow.send('shipments', { key: 'x', value: Buffer.from('x'), headers: { ce_id: 'x/1', ce_source: 'them' } });
    await flow.send('order-status', { key: 'y', value: Buffer.from('no event') });
    const forged = { 'oms-dlq-id': 'forged', 'oms-dlq-original-partition': 'none', 'oms-dlq-error-message': '\0' };
    await flow.send('orders.dlq', { key: 'z', value: Buffer.from('z'), headers: forged });
    await withCopy(async (copy) => {
      expect(await isRefused(copy)).toBe(false);
      // A publisher that was killed between sending and marking.
      await sql`update outbox set sent_at = null`.execute(copy.db);
      expect(await isRefused(copy)).toBe(false);
      // An event that was given up is on no topic.
      const { id } = await newestEvent(copy.db);
      await copy.db
        .updateTable('outbox')
        .set({ skipped_at: new Date(), sent_at: new Date() })
        .where('id', '=', id)
        .execute();
      expect(await isRefused(copy)).toBe(false);
    });
  });

  it('and is refused when it lacks the newest event of all, or only an order that ingest has committed', async () => {
    await withCopy(async (copy) => {
      await copy.db
        .deleteFrom('outbox')
        .where('id', '=', (await newestEvent(copy.db)).id)
        .execute();
      expect(await isRefused(copy)).toBe(true);
    });
    await withCopy(async (copy) => {
      await copy.db.deleteFrom('dead_letters').execute();
      expect(await isRefused(copy)).toBe(true);
    });
  });

  it('and is taken as it is once its operator adopts the topics', async () => {
    await withCopy(async (copy) => {
      await sql`delete from outbox`.execute(copy.db);
      await sql`update deployment set id = gen_random_uuid()`.execute(copy.db);
      const own = { TEMPORAL_NAMESPACE: lost.config.TEMPORAL_NAMESPACE, DATABASE_URL: copy.url };
      expect((await lost.oms(['setup', '--adopt'], { environment: own })).stderr).toContain('Everything is set up');
      expect(await isRefused(copy)).toBe(false);
    });
    const back = await lost.oms(['setup', '--adopt']);
    expect(back.code).toBe(0);
  });
});

describe('a restored backup', () => {
  it('is refused by every role and by set-up, which name the way out', async () => {
    expect(await isRefused(backup)).toBe(true);
    expect((await oms('doctor', '--json')).stdout).toContain('OMS_DATABASE_BEHIND');
    const all = await Promise.all([...ROLES, 'api', 'setup'].map((word) => oms(word)));
    for (const { code, stderr } of all) {
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('OMS_DATABASE_BEHIND') });
      expect(stderr).toContain('./oms rebuild --onto-backup');
    }
  });

  it('is not taken for a lost database, nor brought up to date while a role has it', async () => {
    expect((await oms('rebuild', ...WHY)).stderr).toContain('say --onto-backup');
    // Held for as long as the command runs: an idle connection would be closed by the pool.
    const { stderr } = await backup.db.connection().execute(async (own) => {
      await sql`set application_name = 'oms-worker'`.execute(own);
      const refused = await oms('rebuild', '--onto-backup', ...WHY);
      await sql`set application_name = 'oms-test'`.execute(own);
      return refused;
    });
    expect(stderr).toContain('stop all roles first: oms-worker');
  });

  it('is brought up to date: every order stands as it stood, and what only the backup holds is kept', async () => {
    const { stdout, stderr } = await oms('rebuild', '--onto-backup', ...WHY, '--json');
    expect(stderr).toBe('');
    expect(JSON.parse(stdout) as RebuildResult).toMatchObject({
      ...{ isBackup: true, orders: 4, restarted: 3, deadLetters: 1, unreadable: 3 },
      ...{ contradicted: [], withoutStatus: [], untraced: { count: 0 }, lostNumbers: { INV: [], CN: [] } },
    });
    for (const [id, state] of before) expect(await stateOf(backup.db, id)).toEqual(state);
    expect(await readStock(backup.db, [], 10)).toEqual(await readStock(lost.db, [], 10));
    expect((await oms('limits', 'show')).stdout).toContain('kept');
  });

  it('then works on: nothing is charged, shipped or told anew, and its open orders come to their end', async () => {
    const counts = await effectCounts(restored);
    await lost.rereadOrders();
    await Promise.all(ROLES.map((role) => lost.start(role, { DATABASE_URL: backup.url })));
    await waitFor('the topic to be read again', async () => (await lost.lag()) === 0);
    const open = [...WAITING, 'new-open'];
    await waitFor('the new runs to have their orders', async () => {
      const rows = backup.db.selectFrom('ledger').select('run_id').where('order_id', 'in', open);
      return (await rows.execute()).every(({ run_id }) => run_id !== null);
    });
    expect(await effectCounts(restored)).toEqual(counts);
    expect(await audit()).toEqual([]);
    for (const id of open)
      expect((await oms('carrier', 'update', `${id}:1`, 'delivered')).stderr).not.toContain('error');
    await waitFor('every order to be closed', async () => {
      const rows = backup.db.selectFrom('ledger').select('state').where('order_id', 'in', ALL);
      return (await rows.execute()).every(({ state }) => state === 'closed');
    });
    await waitFor('their events', async () => {
      const { rows } = await sql`select from outbox where sent_at is null`.execute(backup.db);
      return rows.length === 0;
    });
    expect(await audit()).toEqual([]);
    const { charges, invoices } = await effectCounts(restored);
    expect({ charges, invoices }).toEqual({ charges: counts.charges, invoices: counts.invoices });
  });
});
