import { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDeployment, ROLES } from '../helpers/deployment.ts';
import type { Deployment } from '../helpers/deployment.ts';
import { waitFor } from '../helpers/wait.ts';

const MINUTES = 60_000;
let deployment: Deployment;
beforeAll(async () => {
  // The simulated carrier picks nothing up: what happens to a parcel is told on the topic alone.
  deployment = await createDeployment({ OMS_SIM_CARRIER_PICKUP: '1 h' });
  expect(await deployment.oms(['stock', 'set', 'MUG', 'east', '100', '--price', '3.39'])).toMatchObject({ code: 0 });
  await Promise.all(ROLES.map((role) => deployment.start(role)));
}, 5 * MINUTES);
afterAll(() => deployment?.drop());

const shipmentStatus = async (id: string): Promise<string | undefined> =>
  (await deployment.db.selectFrom('shipments').select('status').where('shipment_id', '=', id).executeTakeFirst())
    ?.status;

/** What any reader sees who has the registry's address and a client of somebody else's. */
async function readDeliveries(): Promise<Record<string, unknown>[]> {
  const registry = new SchemaRegistry({ host: deployment.environment.SCHEMA_REGISTRY_URL ?? '' });
  const records = await deployment.records('deliveries');
  return Promise.all(
    records.map(async ({ value }) => (await registry.decode(value ?? Buffer.alloc(0))) as Record<string, unknown>),
  );
}

describe('a courier with nothing but the topic', () => {
  it(
    'brings an order to its end: a failed attempt and a delivery, which a reader of deliveries sees',
    async () => {
      const order = {
        ...{
          eventId: 'E-1/placed',
          orderId: 'E-1',
          occurredAt: '2026-01-31T12:00:00Z',
          source: 'shop',
          sequence: null,
        },
        payload: { OrderPlaced: { customerId: 'c-1', currency: 'GBP', items: [{ sku: 'MUG', quantity: 2 }] } },
      };
      const produced = await deployment.oms(['orders', 'produce', '-'], { input: `${JSON.stringify(order)}\n` });
      expect(produced).toMatchObject({ code: 0 });
      await waitFor('the booking', async () => (await shipmentStatus('E-1:1')) === 'booked');
      const courier = ['--carrier', 'Royal Post', '--tracking', 'RP-1'];
      const told = await deployment.oms(['carrier', 'update', 'E-1:1', 'deliveryFailed', ...courier, '--json']);
      expect(JSON.parse(told.stdout)).toMatchObject({
        update: { shipmentId: 'E-1:1', status: 'deliveryFailed', trackingNumber: 'RP-1' },
        produced: { topic: deployment.topics['carrier-updates'] },
      });
      await waitFor('the attempt', async () => (await shipmentStatus('E-1:1')) === 'deliveryFailed');
      expect(await deployment.oms(['carrier', 'update', 'E-1:1', 'delivered', ...courier])).toMatchObject({ code: 0 });
      await waitFor('the end', async () => (await readDeliveries()).length === 2);
      expect(await readDeliveries()).toEqual([
        expect.objectContaining({ type: 'DeliveryFailed', eventId: 'E-1/1/DeliveryFailed/1', sequence: 1 }),
        expect.objectContaining({ type: 'Delivered', eventId: 'E-1/1/Delivered/1', sequence: 2, shipmentId: 'E-1:1' }),
      ]);
      await waitFor('the order to close', async () => {
        const row = deployment.db.selectFrom('orders').select('status').where('order_id', '=', 'E-1');
        return (await row.executeTakeFirst())?.status === 'completed';
      });
    },
    5 * MINUTES,
  );

  it('is told at once what is wrong with an update', async () => {
    const refused = await deployment.oms(['carrier', 'update', 'no-shipment', 'delivered', '--json']);
    expect(refused.code).not.toBe(0);
    expect(JSON.parse(refused.stderr)).toMatchObject({ error: { code: 'OMS_CLI_USAGE' } });
  });
});
