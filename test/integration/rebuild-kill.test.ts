import { text } from 'node:stream/consumers';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AuditReport } from '../../replay/audit/audit.ts';
import { copyDatabase, createTestDatabase } from '../helpers/database.ts';
import type { TestDatabase } from '../helpers/database.ts';
import { createDeployment, launch, runCommand } from '../helpers/deployment.ts';
import type { CommandResult, Deployment } from '../helpers/deployment.ts';
import { PATIENT, createFlow } from '../helpers/flow.ts';
import type { Flow } from '../helpers/flow.ts';
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

/** Runs `oms rebuild` and kills it the moment it tells that a step begins. */
async function killedAt(step: string, url: string, flags: string[]): Promise<string[]> {
  const child = launch(['rebuild', '--why', 'killed', ...flags], { ...lost.environment, DATABASE_URL: url });
  if (!child.stdout || !child.stderr) throw new Error('no pipes');
  const output = text(child.stdout);
  const told: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    told.push(line);
    if (line === `rebuilding: ${step}`) child.kill('SIGKILL');
  }
  expect(await output).toBe('');
  return told;
}

describe.each([
  ['a new database', () => fresh, []],
  ['a restored backup', () => backup, ['--onto-backup']],
] as const)('the rebuild of %s', (_what, databaseOf, flags) => {
  const oms = (...words: string[]): Promise<CommandResult> =>
    runCommand(words, { ...lost.environment, DATABASE_URL: databaseOf().url });

  it('may be killed at every step: no role starts, and the next run goes on', async () => {
    for (const step of STEPS) {
      expect((await killedAt(step, databaseOf().url, [...flags])).at(-1)).toBe(`rebuilding: ${step}`);
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
    expect(JSON.parse(stdout)).toMatchObject({ isBackup: flags.length > 0, restarted: 2 });
    for (const [id, state] of before) expect(await stateOf(databaseOf().db, id)).toEqual(state);
    const onHand = await databaseOf().db.selectFrom('stock').select(['sku', 'reserved', 'on_hand']).execute();
    // What the backup has counted, less what has left; of a new database nothing but what is promised.
    expect(onHand).toEqual([{ sku: 'SKU-1', reserved: 2, on_hand: flags.length > 0 ? 9_998 : 2 }]);
    expect((await oms('doctor', '--json')).stdout).not.toContain('OMS_REBUILD_UNDER_WAY');
    const { stdout: audited } = await oms('audit', '--json', '--grace', '0', '--settle', '0');
    expect((JSON.parse(audited) as AuditReport).differences).toEqual([]);
  });
});
