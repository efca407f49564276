import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CUSTOMER_ACTION_SIGNAL, SHIPMENT_STATUS_SIGNAL } from '../../domain/contract.ts';
import { orderWorkflowId } from '../../domain/ids.ts';
import { isAsked, isRestBooked } from '../helpers/order-states.ts';
import { createWorkflowWorld } from '../helpers/workflow-world.ts';
import type { WorkflowWorld } from '../helpers/workflow-world.ts';

/** What goes wrong with orders in the system this one is measured against. */
let world: WorkflowWorld;
beforeAll(async () => {
  world = await createWorkflowWorld();
  await world.stock([
    { warehouse: 'east', sku: 'e', onHand: 1_000 },
    { warehouse: 'west', sku: 'w', onHand: 1_000 },
  ]);
});
afterAll(() => world.drop());

const handleOf = (id: string) => world.client.workflow.getHandle(orderWorkflowId(id));
const statuses = async (orderId: string) => {
  const rows = world.db.selectFrom('fulfillments').select('status').where('order_id', '=', orderId).orderBy('n');
  return (await rows.execute()).map(({ status }) => status);
};
const cancel = { v: 1, kind: 'cancel', eventId: 'cancel-1', reason: 'ordered twice', fulfillmentId: null } as const;

describe('Known defects of order systems', () => {
  it('a customer can cancel outside of the question about unavailable items, too', async () => {
    const id = world.id('d11');
    const handle = await world.start(id, [{ sku: 'e' }]);
    await world.until(id, isRestBooked);
    await world.signal(id, cancel);
    expect(await handle.result()).toEqual({ status: 'cancelled' });
    expect(await world.charged(`${id}:1`)).toMatchObject({ taken: 1_700, refunded: 1_700 });
  });

  it('an unknown customer action is refused with a reason, and fails no order', async () => {
    const id = world.id('d12');
    const handle = await world.start(id, [{ sku: 'sold-out' }, { sku: 'e' }]);
    await world.until(id, isAsked);
    await handleOf(id).signal(CUSTOMER_ACTION_SIGNAL, { action: 'explode' });
    await handleOf(id).signal(CUSTOMER_ACTION_SIGNAL, { action: 'amend' });
    await world.until(id, isRestBooked);
    await world.hear('delivered', `${id}:2`);
    expect(await handle.result()).toEqual({ status: 'completed' });
  });

  it('a cancelled order has no part that still waits', async () => {
    const id = world.id('d13');
    const handle = await world.start(id, [{ sku: 'sold-out' }, { sku: 'e' }, { sku: 'w' }]);
    await world.until(id, isAsked);
    await world.signal(id, cancel);
    expect(await handle.result()).toEqual({ status: 'cancelled' });
    expect(await statuses(id)).toEqual(['cancelled', 'cancelled', 'cancelled']);
  });

  it('an order of which a part failed is not completed', async () => {
    const id = world.id('d14');
    await world.refuse({ charge: `${id}:2` });
    const handle = await world.start(id, [{ sku: 'e' }, { sku: 'w' }]);
    await world.until(id, ({ fulfillments }) => fulfillments?.[0]?.shipment === 'booked');
    await world.hear('delivered', `${id}:1`);
    expect(await handle.result()).toEqual({ status: 'partiallyCompleted' });
  });

  it('news of a shipment that does not exist harms nothing', async () => {
    const id = world.id('d17');
    const handle = await world.start(id, [{ sku: 'sold-out' }, { sku: 'e' }]);
    await world.until(id, isAsked);
    for (const shipmentID of [`${id}:1`, `${id}:9`, 'nonsense'])
      await handleOf(id).signal(SHIPMENT_STATUS_SIGNAL, { shipmentID, status: 'delivered', updatedAt: 'never' });
    await handleOf(id).signal(CUSTOMER_ACTION_SIGNAL, { action: 'amend' });
    await world.until(id, isRestBooked);
    await world.hear('delivered', `${id}:2`);
    expect(await handle.result()).toEqual({ status: 'completed' });
    expect(await statuses(id)).toEqual(['cancelled', 'completed']);
  });

  it('what came of the last shipment and of the order are told in this order, once each', async () => {
    const id = world.id('d18');
    const handle = await world.start(id, [{ sku: 'e' }, { sku: 'w' }]);
    await world.until(id, isRestBooked);
    await world.hear('delivered', `${id}:2`, `${id}:1`);
    await handle.result();
    const told = await world.told(id);
    const last = told.at(-1);
    expect(last).toMatchObject({ topic: 'order-status', status: 'completed' });
    expect(told.filter(({ topic }) => topic === 'deliveries')).toHaveLength(2);
    expect(told.findLastIndex(({ topic }) => topic === 'deliveries')).toBeLessThan(told.length - 1);
  });

  it('an order that ran twice would not be charged twice: the key is the shipment, not the attempt', async () => {
    const id = world.id('d19');
    const handle = await world.start(id, [{ sku: 'e' }]);
    await world.until(id, isRestBooked);
    const again = await world.activities.chargeFulfillments(id, [`${id}:1`]);
    expect(again.fulfillments[0]).toMatchObject({ payment: 'success' });
    const calls = await world.db
      .selectFrom('simulated_calls')
      .select('outcome')
      .where('key', '=', `${id}:1`)
      .where('operation', '=', 'charge')
      .execute();
    expect(calls).toHaveLength(1);
    await world.hear('delivered', `${id}:1`);
    await handle.result();
  });
});
