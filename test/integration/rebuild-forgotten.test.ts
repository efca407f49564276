import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { logEnds } from '../../kafka/admin/log-ends.ts';
import { createKafka } from '../../kafka/client/client.ts';
import type { AuditReport } from '../../operations/audit/audit.ts';
import type { RebuildResult } from '../../operations/rebuild/run-rebuild.ts';
import { readOrder } from '../../orders/record/load.ts';
import { createTestDatabase } from '../helpers/database.ts';
import type { TestDatabase } from '../helpers/database.ts';
import { createDeployment, runCommand } from '../helpers/deployment.ts';
import type { CommandResult, Deployment } from '../helpers/deployment.ts';
import { PATIENT, createFlow } from '../helpers/flow.ts';
import type { Flow } from '../helpers/flow.ts';
import { cancelled } from '../helpers/order-events.ts';
import { silent } from '../helpers/order-world.ts';
import { giveProvidersTheirMemory } from '../helpers/told-state.ts';
import { waitFor } from '../helpers/wait.ts';

const ROLES = ['ingest', 'worker', 'publisher'] as const;
const FORGETFUL = ['shipments', 'invoices', 'deliveries'] as const;
const ORDER = 'open-for-months';
const GIVEN_UP = 'given-up-after-months';

/** A deployment with open orders, whose topics have forgotten what they told of them when its database is lost. */
let lost: Deployment;
let flow: Flow;
let fresh: TestDatabase;

const numbersOf = async (topic: (typeof FORGETFUL)[number]): Promise<number[]> =>
  (await lost.records(topic))
    .filter(({ key }) => key?.toString() === ORDER)
    .map(({ headers }) => Number(headers['ce_sequence']?.toString()));

async function forget(): Promise<void> {
  const kafka = createKafka({ brokers: lost.config.KAFKA_BROKERS, clientId: 'test', logger: silent, retries: 5 });
  const admin = kafka.admin();
  await admin.connect();
  for (const kind of FORGETFUL) {
    const topic = lost.topics[kind];
    const partitions = (await logEnds(admin, topic)).map(({ partition, high }) => ({ partition, offset: high }));
    await admin.deleteTopicRecords({ topic, partitions });
  }
  await admin.disconnect();
}

const oms = (...words: string[]): Promise<CommandResult> =>
  runCommand(words, { ...lost.environment, DATABASE_URL: fresh.url });

async function withRoles(settings: Record<string, string>, work: () => Promise<void>): Promise<void> {
  const roles = await Promise.all(ROLES.map((role) => lost.start(role, settings)));
  await work();
  await Promise.all(roles.map((role) => role.stop()));
}

const closed = (orderId: string): Promise<unknown> =>
  waitFor('the order to be closed', async () => {
    const row = fresh.db.selectFrom('ledger').select('state').where('order_id', '=', orderId);
    return (await row.executeTakeFirst())?.state === 'closed';
  });

beforeAll(async () => {
  lost = await createDeployment(PATIENT);
  flow = await createFlow(lost);
  await withRoles({}, async () => {
    await flow.booked(ORDER, GIVEN_UP);
    await flow.published();
    await waitFor('everything to be read', async () => (await lost.lag()) === 0);
  });
  fresh = await createTestDatabase();
  await giveProvidersTheirMemory(lost.db, fresh.db);
}, 480_000);
afterAll(async () => {
  await flow?.close();
  await lost?.drop();
  await fresh?.drop();
});

describe('an open order whose events are older than their topics keep', () => {
  it('is rebuilt with the numbers it was told with, and the date of its invoice', async () => {
    expect(await numbersOf('shipments')).toEqual([1]);
    expect(await numbersOf('invoices')).toEqual([1, 2]);
    await forget();
    for (const topic of FORGETFUL) expect(await numbersOf(topic)).toEqual([]);

    const { stdout, stderr } = await oms('rebuild', '--why', 'lost', '--next-credit-note', '1', '--json');
    expect({ stderr, ...(JSON.parse(stdout) as RebuildResult) }).toMatchObject({ stderr: '', orders: 2, restarted: 2 });
    const [was, is] = [await readOrder(lost.db, ORDER), await readOrder(fresh.db, ORDER)];
    expect({ version: is?.version, sequences: is?.sequences }).toEqual({
      version: was?.version,
      sequences: was?.sequences,
    });
    expect(is?.fulfillments[0]?.invoice).toEqual(was?.fulfillments[0]?.invoice);
    expect(is?.fulfillments[0]?.invoice?.issuedAt).toBeLessThan(was?.now ?? 0);
  });

  it('is given all its money back, and no more, when it is cancelled', async () => {
    const charge = await fresh.db
      .selectFrom('payments')
      .selectAll()
      .where('order_id', '=', GIVEN_UP)
      .executeTakeFirstOrThrow();
    expect(charge).toMatchObject({ status: 'success', refunded: 0 });
    await withRoles({ DATABASE_URL: fresh.url }, async () => {
      const value = lost.codec.encode(lost.topics.orders, cancelled(GIVEN_UP));
      await flow.send('orders', { key: GIVEN_UP, value });
      await closed(GIVEN_UP);
    });
    const [f] = (await readOrder(fresh.db, GIVEN_UP))?.fulfillments ?? [];
    expect(f?.payment).toMatchObject({ status: 'refunded', refunded: charge.captured });
    expect(f?.creditNotes.map(({ total, refunded }) => [total, refunded])).toEqual([
      [charge.captured, charge.captured],
    ]);
    const { stdout } = await oms('audit', '--json', '--grace', '0', '--settle', '0', '--only', 'money,providers');
    expect((JSON.parse(stdout) as AuditReport).differences).toEqual([]);
  });

  it('goes on behind them: a reader that knows the last number drops nothing and misses nothing', async () => {
    await withRoles({ DATABASE_URL: fresh.url }, async () => {
      for (const status of ['dispatched', 'delivered'])
        expect((await oms('carrier', 'update', `${ORDER}:1`, status)).code).toBe(0);
      await closed(ORDER);
      await waitFor('its events', async () => {
        const unsent = fresh.db.selectFrom('outbox').select('event_id').where('sent_at', 'is', null);
        return (await unsent.execute()).length === 0;
      });
    });
    expect(await numbersOf('shipments')).toEqual([2]);
    expect(await numbersOf('invoices')).toEqual([]);
    expect(await numbersOf('deliveries')).toEqual([1]);
    const { stdout } = await oms('audit', '--json', '--grace', '0', '--settle', '0', '--only', 'ledger,outbox,topics');
    expect((JSON.parse(stdout) as AuditReport).differences).toEqual([]);
  });
});
