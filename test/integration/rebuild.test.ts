import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { createKafka } from '../../kafka/client/client.ts';
import type { AuditReport } from '../../operations/audit/audit.ts';
import type { RebuildResult } from '../../operations/rebuild/run-rebuild.ts';
import { beginCharge } from '../../orders/money/charges.ts';
import { addPrices } from '../../orders/money/price-list.ts';
import { createTestDatabase } from '../helpers/database.ts';
import type { TestDatabase } from '../helpers/database.ts';
import { createDeployment, runCommand } from '../helpers/deployment.ts';
import type { CommandResult, Deployment, RoleProcess } from '../helpers/deployment.ts';
import { effectCounts, workflowIds } from '../helpers/end-state.ts';
import { PATIENT, createFlow } from '../helpers/flow.ts';
import type { Flow } from '../helpers/flow.ts';
import { cancelled, item, placed } from '../helpers/order-events.ts';
import { silent } from '../helpers/order-world.ts';
import { giveProvidersTheirMemory, stateOf } from '../helpers/told-state.ts';
import { waitFor } from '../helpers/wait.ts';

/** A deployment whose database is lost after orders of every kind went through it. */
let lost: Deployment;
let flow: Flow;
let fresh: TestDatabase;
/** The same deployment, on the new database. */
let deployment: Deployment;
let before: Map<string, unknown>;

const OPEN = ['open-1', 'open-2', 'open-3'];
const CLOSED = ['delivered-1', 'delivered-2', 'cancelled-1'];
/** Where the topics do not tell: there was a charge after the last invoice they know. */
const NEXT = ['--next-invoice', '10', '--next-credit-note', '5'];
const WHY = ['--why', 'the disk is gone'];

/** A charge outside of any order: it takes the next number of an invoice, and no topic tells of it. */
async function chargeDirectly(id: string): Promise<void> {
  await addPrices(lost.db, [{ sku: 'SKU-1', currency: 'GBP', unitPrice: 1_000 }]);
  const items = [{ sku: 'SKU-1', quantity: 1 }];
  const wanted = { id, reference: 'r', customerId: 'customer-1', currency: 'GBP', items };
  await beginCharge(lost.db, { taxRates: { '*': 2_000 }, shippingPrices: { '*': 0 } }, wanted);
}

const oms = (...words: string[]): Promise<CommandResult> => runCommand(words, deployment.environment);
const audit = async (): Promise<AuditReport> =>
  JSON.parse((await oms('audit', '--json', '--grace', '0', '--settle', '0')).stdout) as AuditReport;

beforeAll(async () => {
  lost = await createDeployment(PATIENT);
  const roles = await Promise.all((['ingest', 'worker', 'publisher'] as const).map((role) => lost.start(role)));
  flow = await createFlow(lost);
  await flow.booked('open-1', 'open-2', ...CLOSED);
  await flow.delivered('delivered-1', 'delivered-2');
  await flow.cancelled('cancelled-1');
  await flow.send('orders', { key: 'garbage', value: Buffer.from('no Avro') });
  await chargeDirectly('charge/between');
  await flow.booked('open-3');
  await chargeDirectly('charge/last');
  const early = cancelled('never-placed');
  await flow.send('orders', { key: early.orderId, value: lost.codec.encode(lost.topics.orders, early) });
  await flow.published();
  await waitFor('everything to be read', async () => (await lost.lag()) === 0);
  await Promise.all(roles.map((role: RoleProcess) => role.stop()));
  before = new Map();
  for (const id of [...OPEN, ...CLOSED]) before.set(id, await stateOf(lost.db, id));

  fresh = await createTestDatabase();
  await giveProvidersTheirMemory(lost.db, fresh.db);
  deployment = { ...lost, db: fresh.db, environment: { ...lost.environment, DATABASE_URL: fresh.url } };
}, 480_000);
afterAll(async () => {
  await flow?.close();
  await lost?.drop();
  await fresh?.drop();
});

describe('a new database under the topics of a lost one', () => {
  it('is refused by every role and by set-up, which name the way out', async () => {
    const all = await Promise.all(['ingest', 'worker', 'publisher', 'setup'].map((word) => oms(word)));
    for (const { code, stderr } of all) {
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('OMS_DEPLOYMENT_MISMATCH') });
      expect(stderr).toContain('./oms rebuild');
    }
  });

  it('is not filled while somebody reads the topics, or in the place of one that is whole', async () => {
    const whole = await runCommand(['rebuild', ...WHY, '--json'], lost.environment);
    expect(JSON.parse(whole.stderr)).toMatchObject({ error: { code: 'OMS_REBUILD_REFUSED' } });
    const reading = await lost.start('ingest');
    expect((await oms('rebuild', ...WHY)).stderr).toContain('stop `oms ingest` first');
    await reading.stop();
  });

  it('is filled by rebuild: every order stands as it stood', async () => {
    const { stdout, stderr } = await oms('rebuild', ...WHY, '--who', 'tester', '--json', ...NEXT);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout) as RebuildResult).toMatchObject({
      ...{ orders: 6, closed: 3, restarted: 3, deadLetters: 1, unreadable: 0 },
      ...{ isBackup: false, contradicted: [], withoutStatus: [], untraced: { count: 0 } },
      // Numbers of the two charges, and those that were said to be given out besides.
      lostNumbers: {
        INV: [
          [6, 6],
          [8, 9],
        ],
        CN: [[2, 4]],
      },
    });
    for (const [id, state] of before) expect(await stateOf(fresh.db, id)).toEqual(state);
    const ledger = await fresh.db.selectFrom('ledger').select(['order_id', 'state']).orderBy('order_id').execute();
    expect(Object.fromEntries(ledger.map((row) => [row.order_id, row.state]))).toEqual({
      ...Object.fromEntries(CLOSED.map((id) => [id, 'closed'])),
      ...Object.fromEntries(OPEN.map((id) => [id, 'started'])),
      'never-placed': 'awaited',
    });
    expect(await fresh.db.selectFrom('operator_decisions').select(['action', 'who', 'why']).execute()).toEqual([
      { action: 'rebuild', who: 'tester', why: 'the disk is gone' },
    ]);
  });

  it('takes up the orders: the topic replayed adds nothing, and open orders come to their end', async () => {
    const counts = await effectCounts(deployment);
    const workflows = (await workflowIds(deployment)).length;
    const kafka = createKafka({ brokers: lost.config.KAFKA_BROKERS, clientId: 'test', logger: silent, retries: 5 });
    const admin = kafka.admin();
    await admin.connect();
    const groupId = `${lost.config.OMS_PREFIX}oms-ingest`;
    await admin.resetOffsets({ groupId, topic: lost.topics.orders, earliest: true });
    await admin.disconnect();

    await Promise.all((['ingest', 'worker', 'publisher'] as const).map((role) => startOn(role)));
    await waitFor('the topic to be read again', async () => (await lost.lag()) === 0);
    await waitFor('the new runs to have their orders', async () => {
      const rows = fresh.db.selectFrom('ledger').select('run_id').where('order_id', 'in', OPEN);
      return (await rows.execute()).every(({ run_id }) => run_id !== null);
    });
    expect(await effectCounts(deployment)).toEqual(counts);
    expect(await workflowIds(deployment)).toHaveLength(workflows);
    expect((await lost.records('orders.dlq')).length).toBe(1);
    // The stock of the test was set by hand, so nothing but what is promised is there.
    expect((await audit()).differences).toEqual([]);

    for (const id of OPEN) {
      const { stderr } = await oms('carrier', 'update', `${id}:1`, 'delivered');
      expect(stderr).not.toContain('error');
    }
    await waitFor('the open orders to close', async () => {
      const rows = fresh.db.selectFrom('ledger').select('state').where('order_id', 'in', OPEN);
      return (await rows.execute()).every(({ state }) => state === 'closed');
    });
    await waitFor('their events', async () => {
      const { rows } = await sql`select from outbox where sent_at is null`.execute(fresh.db);
      return rows.length === 0;
    });
    expect((await audit()).differences).toEqual([]);
    const { charges, invoices } = await effectCounts(deployment);
    expect({ charges, invoices }).toEqual({ charges: counts.charges, invoices: counts.invoices });
  });

  it('numbers on behind what it was told, and the audit knows of the numbers that are lost', async () => {
    expect((await oms('stock', 'set', 'SKU-1', 'east', '100')).code).toBe(0);
    const next = placed('next', { items: [item()] });
    await flow.send('orders', { key: 'next', value: lost.codec.encode(lost.topics.orders, next) });
    const invoiceOf = (): Promise<{ invoice_id: string } | undefined> =>
      fresh.db.selectFrom('invoices').select('invoice_id').where('order_id', '=', 'next').executeTakeFirst();
    expect(await waitFor('its invoice', invoiceOf)).toEqual({ invoice_id: 'INV-00000010' });
    const { differences } = JSON.parse((await oms('audit', '--only', 'money', '--json')).stdout) as AuditReport;
    expect(differences).toEqual([]);
  });
});

const startOn = (role: 'ingest' | 'worker' | 'publisher'): Promise<RoleProcess> =>
  lost.start(role, { DATABASE_URL: fresh.url });
