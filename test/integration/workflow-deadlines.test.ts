import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OrderState, OrderTimers } from '../../domain/contract.ts';
import { createWorkflowWorld } from '../helpers/workflow-world.ts';
import type { WorkflowWorld } from '../helpers/workflow-world.ts';
import { waitFor } from '../helpers/wait.ts';

let world: WorkflowWorld;
beforeAll(async () => {
  world = await createWorkflowWorld();
  await world.stock([{ warehouse: 'east', sku: 'e', onHand: 1_000 }]);
});
afterAll(() => world.drop());

const TIMERS: OrderTimers = { customerActionMs: 60_000, carrierOverdueMs: 600_000 };
const isBooked = ({ fulfillments }: OrderState): boolean => fulfillments?.[0]?.shipment === 'booked';
const told = async (id: string, type: string) => (await world.told(id)).filter((event) => event['type'] === type);
const overdue = (id: string, which: string): Promise<boolean> =>
  waitFor(`${id} to be marked ${which}`, async () => {
    const orders = world.db.selectFrom('orders').select('overdue').where('order_id', '=', id);
    return (await orders.executeTakeFirst())?.overdue === which;
  });

describe('A promise about an order', () => {
  it('that is not kept is told of once each, marks the order, and the order goes on to its end', async () => {
    const id = world.id('late');
    const handle = await world.start(id, [{ sku: 'e' }], { timers: { ...TIMERS, shipByMs: 300, deliverByMs: 1_500 } });
    await world.until(id, isBooked);
    await overdue(id, 'shipBy');
    await overdue(id, 'deliverBy');
    await world.hear('delivered', `${id}:1`);
    expect(await handle.result()).toEqual({ status: 'completed' });
    expect((await told(id, 'ShipmentDelayed')).map(({ eventId, reason }) => [eventId, reason])).toEqual([
      [`${id}/1/ShipmentDelayed/1`, 'not shipped by the time that was promised'],
      [`${id}/1/ShipmentDelayed/2`, 'not delivered by the time that was promised'],
    ]);
  });

  it('that is kept is not spoken of, though the carrier told the hand-over to the database only', async () => {
    const id = world.id('in-time');
    const handle = await world.start(id, [{ sku: 'e' }], {
      timers: { ...TIMERS, shipByMs: 3_000, deliverByMs: 4_000 },
    });
    await world.until(id, isBooked);
    await world.hear('dispatched', `${id}:1`);
    await overdue(id, 'deliverBy');
    await world.hear('delivered', `${id}:1`);
    await handle.result();
    expect((await told(id, 'ShipmentDelayed')).map(({ eventId }) => eventId)).toEqual([`${id}/1/ShipmentDelayed/2`]);
  });

  it('is watched while a provider is away, too', async () => {
    const id = world.id('outage');
    world.away.payment = true;
    const handle = await world.start(id, [{ sku: 'e' }], { timers: { ...TIMERS, shipByMs: 300 } });
    await overdue(id, 'shipBy');
    world.away.payment = false;
    await world.until(id, isBooked);
    await world.hear('delivered', `${id}:1`);
    expect(await handle.result()).toEqual({ status: 'completed' });
    expect(await told(id, 'InvoicePaid')).toHaveLength(1);
  });
});

describe('A reservation', () => {
  it('that is not paid for before its deadline is given up, and its stock is free again', async () => {
    const id = world.id('unpaid');
    const before = (await world.stockOf('e'))['east']?.reserved ?? 0;
    world.away.payment = true;
    const handle = await world.start(id, [{ sku: 'e', quantity: 3 }], { timers: { ...TIMERS, reservationMs: 300 } });
    await world.until(id, ({ waitingFor }) => waitingFor === 'refund');
    world.away.payment = false;
    expect(await handle.result()).toEqual({ status: 'failed' });
    expect((await world.stockOf('e'))['east']?.reserved).toBe(before);
    const { reason } = await world.db
      .selectFrom('fulfillments')
      .select('reason')
      .where('order_id', '=', id)
      .executeTakeFirstOrThrow();
    expect(reason).toContain('OMS_ORDER_RESERVATION_EXPIRED');
  });

  it('that is paid for has no deadline any more', async () => {
    const id = world.id('paid');
    const handle = await world.start(id, [{ sku: 'e' }], {
      timers: { ...TIMERS, reservationMs: 2_000, shipByMs: 2_500 },
    });
    await world.until(id, isBooked);
    await overdue(id, 'shipBy');
    await world.hear('delivered', `${id}:1`);
    expect(await handle.result()).toEqual({ status: 'completed' });
  });
});
