import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AuditReport } from '../../operations/audit/audit.ts';
import { copyDatabase, createTestDatabase } from '../helpers/database.ts';
import type { TestDatabase } from '../helpers/database.ts';
import { createDeployment, runCommand } from '../helpers/deployment.ts';
import type { CommandResult, Deployment } from '../helpers/deployment.ts';
import { PATIENT, createFlow } from '../helpers/flow.ts';
import type { Flow } from '../helpers/flow.ts';
import { spawnScript } from '../helpers/spawned.ts';
import { giveProvidersTheirMemory, stateOf } from '../helpers/told-state.ts';
import { waitFor } from '../helpers/wait.ts';

/** A deployment that goes on after a backup was taken, and whose database is lost then. */
let lost: Deployment;
let flow: Flow;
let backup: TestDatabase;
let fresh: TestDatabase;
let before: Map<string, unknown>;

const IDS = ['done-before', 'open', 'done-after', 'new-open'];
const STEPS = ['dead letters', 'events of orders', 'orders', 'state of orders', 'stock and prices', 'open orders'];

beforeAll(async () => {
  lost = await createDeployment(PATIENT);
  flow = await createFlow(lost);
  const inRoles = async (work: () => Promise<void>): Promise<void> => {
    const roles = await Promise.all((['ingest', 'worker', 'publisher'] as const).map((role) => lost.start(role)));
    await work();
    await flow.published();
    await waitFor('everything to be read', async () => (await lost.lag()) === 0);
    await Promise.all(roles.map((role) => role.stop()));
  };
  await inRoles(async () => {
    await flow.booked('done-before', 'open', 'done-after');
    await flow.delivered('done-before');
  });
  backup = await copyDatabase(lost.environment['DATABASE_URL'] ?? '');
  await inRoles(async () => {
    await flow.delivered('done-after');
    await flow.booked('new-open');
    await flow.send('orders', { key: 'garbage', value: Buffer.from('no Avro') });
  });
  before = new Map();
  for (const id of IDS) before.set(id, await stateOf(lost.db, id));
  fresh = await createTestDatabase();
  for (const { db } of [backup, fresh]) await giveProvidersTheirMemory(lost.db, db);
}, 480_000);
afterAll(async () => {
  await flow?.close();
  await lost?.drop();
  await Promise.all([backup?.drop(), fresh?.drop()]);
});

/** Begins a rebuild that kills itself as a step begins; resolves with how it ended. */
function killedAt(step: string, url: string, isBackup: boolean): Promise<string> {
  const kill = { OMS_TEST_KILL_AT: step, ...(isBackup ? { OMS_TEST_BACKUP: 'yes' } : {}) };
  return spawnScript('rebuild-process.ts', { ...lost.environment, DATABASE_URL: url, ...kill }).gone;
}

describe.each([
  ['a new database', () => fresh, false],
  ['a restored backup', () => backup, true],
] as const)('the rebuild of %s', (_what, databaseOf, isBackup) => {
  const oms = (...words: string[]): Promise<CommandResult> =>
    runCommand(words, { ...lost.environment, DATABASE_URL: databaseOf().url });

  it('may be killed at every step: no role starts, and the next run goes on', async () => {
    for (const step of STEPS) {
      expect(await killedAt(step, databaseOf().url, isBackup)).toBe('SIGKILL');
      expect(await oms('worker')).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('OMS_REBUILD_UNDER_WAY'),
      });
    }
    expect((await oms('doctor', '--json')).stdout).toContain('OMS_REBUILD_UNDER_WAY');
    expect((await oms('setup')).code).toBe(1);
  });

  it('ends with every order as it stood, whatever it was begun as', async () => {
    const { stdout, stderr } = await oms('rebuild', '--why', 'once more', '--json');
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({ isBackup, restarted: 2 });
    for (const [id, state] of before) expect(await stateOf(databaseOf().db, id)).toEqual(state);
    const onHand = await databaseOf().db.selectFrom('stock').select(['sku', 'reserved', 'on_hand']).execute();
    // What the backup has counted, less what has left; of a new database nothing but what is promised.
    expect(onHand).toEqual([{ sku: 'SKU-1', reserved: 2, on_hand: isBackup ? 9_998 : 2 }]);
    expect((await oms('doctor', '--json')).stdout).not.toContain('OMS_REBUILD_UNDER_WAY');
    const { stdout: audited } = await oms('audit', '--json', '--grace', '0', '--settle', '0');
    expect((JSON.parse(audited) as AuditReport).differences).toEqual([]);
  });
});
