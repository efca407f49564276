import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { logEnds } from '../../kafka/admin/log-ends.ts';
import { createKafka } from '../../kafka/client/client.ts';
import { groupName } from '../../kafka/topics.ts';
import { checkDeployment } from '../../resources/deployment.ts';
import { commandResources } from '../../resources/profiles.ts';
import { createDeployment } from '../helpers/deployment.ts';
import type { Deployment } from '../helpers/deployment.ts';
import { createFlow } from '../helpers/flow.ts';
import type { Flow } from '../helpers/flow.ts';
import { cancelled, placed } from '../helpers/order-events.ts';
import { waitFor } from '../helpers/wait.ts';

/** A deployment whose database was never lost, with what looks as if it had been. */
let deployment: Deployment;
let flow: Flow;

beforeAll(async () => {
  deployment = await createDeployment({ OMS_TOPIC_PARTITIONS: '1', OMS_PARKING_DEADLINE: '1 s' });
  flow = await createFlow(deployment);
}, 120_000);
afterAll(async () => {
  await flow?.close();
  await deployment?.drop();
});

const send = (event: ReturnType<typeof cancelled>): Promise<void> =>
  flow.send('orders', { key: event.orderId, value: deployment.codec.encode(deployment.topics.orders, event) });

/** As an operator's tool does it. */
async function skipAllOrders(): Promise<void> {
  const admin = createKafka(commandResources(deployment.config).kafkaConnection()).admin();
  await admin.connect();
  await admin.setOffsets({
    groupId: groupName(deployment.config.OMS_PREFIX, 'ingest'),
    topic: deployment.topics.orders,
    partitions: (await logEnds(admin, deployment.topics.orders)).map(({ partition, high }) => ({
      ...{ partition, offset: high },
    })),
  });
  await admin.disconnect();
}

describe('a database that knows all there is', () => {
  it('is not taken for a backup when an event came twice whose order never came', async () => {
    const event = cancelled('never');
    // In one batch: the second repeats what is parked by then.
    await Promise.all([send(event), send(event)]);
    const ingest = await deployment.start('ingest');
    await waitFor('both to be read', async () => (await deployment.lag()) === 0);
    await waitFor('the order to be waited for no more', async () => {
      const { rows } = await sql`select from dead_letters where sent_at is not null`.execute(deployment.db);
      const { rows: awaited } = await sql`select from ledger`.execute(deployment.db);
      return rows.length > 0 && awaited.length === 0;
    });
    await ingest.stop();
    const { rows } = await sql`select from dead_letters`.execute(deployment.db);
    expect(rows).toHaveLength(1);
    await expect(checkDeployment(deployment.config)).resolves.toBeUndefined();
    const { stdout } = await deployment.oms(['audit', '--only', 'input', '--json', '--grace', '0', '--settle', '0']);
    expect(JSON.parse(stdout)).toMatchObject({ differences: [] });
  });

  it('is told apart from a backup by its operator who has skipped records', async () => {
    await send(placed('skipped'));
    await skipAllOrders();
    await expect(checkDeployment(deployment.config)).rejects.toMatchObject({
      code: 'OMS_DATABASE_BEHIND',
      message: expect.stringMatching(/the order skipped, which ingest has committed.*`\.\/oms setup --adopt`/s),
    });
    expect((await deployment.oms(['setup'])).stderr).toContain('OMS_DATABASE_BEHIND');
    expect(await deployment.oms(['setup', '--adopt'])).toMatchObject({ code: 0 });
    await expect(checkDeployment(deployment.config)).resolves.toBeUndefined();
  });

  it('is not asked about what came before it adopted the topics', async () => {
    await send(placed('another-ledgers'));
    await flow.send('shipments', { key: 'x', value: Buffer.from('x'), headers: { ce_id: 'x/1', ce_source: 'oms' } });
    await skipAllOrders();
    await expect(checkDeployment(deployment.config)).rejects.toMatchObject({ code: 'OMS_DATABASE_BEHIND' });
    await sql`update deployment set ledger_since = clock_timestamp()`.execute(deployment.db);
    await expect(checkDeployment(deployment.config)).resolves.toBeUndefined();
  });
});
