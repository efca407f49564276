import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createFulfillmentWorld } from '../helpers/fulfillment-world.ts';
import type { FulfillmentWorld } from '../helpers/fulfillment-world.ts';

let world: FulfillmentWorld;
beforeAll(async () => {
  world = await createFulfillmentWorld();
  await world.stock([
    { warehouse: 'east', sku: 'e', onHand: 1_000 },
    { warehouse: 'west', sku: 'w', onHand: 1_000 },
  ]);
});
afterAll(() => world.drop());

/** An order of two shipments, paid for; booked unless told otherwise. */
async function paid(orderId: string, { isBooked = true } = {}): Promise<void> {
  const ids = [`${orderId}:1`, `${orderId}:2`];
  await world.place(orderId, [
    { sku: 'e', quantity: 3 },
    { sku: 'w', quantity: 2 },
  ]);
  await world.activities.takeOrder(orderId, 'run');
  await world.activities.chargeFulfillments(orderId, ids);
  if (isBooked) await world.activities.bookShipments(orderId, ids);
}

/** The events about shipments, in the order they were told: what happened to which. */
async function story(orderId: string): Promise<string[]> {
  const told = await world.told(orderId);
  return told.flatMap((event) =>
    typeof event['shipmentId'] === 'string' ? [`${String(event['type'])} ${event['shipmentId'].slice(-1)}`] : [],
  );
}

describe("A carrier's news", () => {
  it('moves the shipment on, takes the goods off the stock at hand-over, and settles the order with the last one', async () => {
    await paid('straight');
    const before = await world.stockOf('e');
    expect(await world.news('straight:1', 'dispatched')).toMatchObject({ applied: true, shipmentStatus: 'dispatched' });
    const after = await world.stockOf('e');
    expect(after['east']?.onHand).toBe((before['east']?.onHand ?? 0) - 3);
    expect(after['east']?.reserved).toBe((before['east']?.reserved ?? 0) - 3);
    expect(await world.news('straight:1', 'delivered')).toMatchObject({ applied: true, orderSettled: false });
    await world.news('straight:2', 'dispatched');
    expect(await world.news('straight:2', 'delivered')).toEqual({
      orderId: 'straight',
      applied: true,
      shipmentStatus: 'delivered',
      orderSettled: true,
    });
    expect(await story('straight')).toEqual([
      'ShipmentBooked 1',
      'ShipmentBooked 2',
      'ShipmentDispatched 1',
      'Delivered 1',
      'ShipmentDispatched 2',
      'Delivered 2',
    ]);
  });

  it('that comes twice, with the same id or another, changes nothing and answers the same', async () => {
    await paid('twice');
    const first = await world.news('twice:1', 'delivered');
    const told = await world.told('twice');
    const stock = await world.stockOf('e');
    expect(await world.news('twice:1', 'delivered')).toEqual({ ...first, applied: false });
    expect(await world.news('twice:1', 'delivered', 'another-id')).toEqual({ ...first, applied: false });
    expect(await world.told('twice')).toEqual(told);
    expect(await world.stockOf('e')).toEqual(stock);
  });

  it('of delivery before that of dispatch implies the dispatch; the late one is kept and changes nothing', async () => {
    await paid('swapped');
    await world.news('swapped:1', 'delivered');
    expect(await world.news('swapped:1', 'dispatched')).toMatchObject({ applied: false, shipmentStatus: 'delivered' });
    expect((await story('swapped')).filter((line) => line.endsWith('1'))).toEqual([
      'ShipmentBooked 1',
      'ShipmentDispatched 1',
      'Delivered 1',
    ]);
    const kept = await world.db
      .selectFrom('carrier_updates')
      .select(['status', 'applied'])
      .where('shipment_id', '=', 'swapped:1')
      .orderBy('received_at')
      .execute();
    expect(kept).toEqual([
      { status: 'delivered', applied: true },
      { status: 'dispatched', applied: false },
    ]);
  });

  it('may come before our own record of the booking, which then only adds its reference', async () => {
    await paid('early', { isBooked: false });
    await world.news('early:1', 'dispatched');
    const progress = await world.activities.bookShipments('early', ['early:1', 'early:2']);
    expect(progress.fulfillments).toMatchObject([{ shipment: 'dispatched' }, { shipment: 'booked' }]);
    expect((await story('early')).filter((line) => line.startsWith('ShipmentBooked'))).toHaveLength(2);
  });

  it('of a failed delivery fails the fulfillment; the way back is told after it', async () => {
    await paid('failing');
    await world.news('failing:1', 'dispatched');
    expect(await world.news('failing:1', 'deliveryFailed')).toMatchObject({ applied: true, shipmentStatus: 'failed' });
    expect(await world.news('failing:1', 'returnedToSender')).toMatchObject({
      applied: true,
      shipmentStatus: 'failed',
    });
    expect(await world.news('failing:1', 'returnedToSender', 'again')).toMatchObject({ applied: false });
    expect((await story('failing')).filter((line) => line.endsWith('1'))).toEqual([
      'ShipmentBooked 1',
      'ShipmentDispatched 1',
      'DeliveryFailed 1',
      'ReturnedToSender 1',
    ]);
  });

  it('about a shipment nobody booked is kept, and answers that there is none', async () => {
    await paid('other');
    expect(await world.news('other:9', 'delivered')).toMatchObject({ applied: false, shipmentStatus: null });
    await expect(world.news('never-heard-of:1', 'delivered')).rejects.toThrow(
      expect.objectContaining({ code: 'OMS_ORDER_UNKNOWN' }),
    );
  });

  it('told by many receivers at once is applied once', async () => {
    await paid('crowd');
    const stock = await world.stockOf('w');
    const news = (['dispatched', 'delivered', 'booked'] as const).flatMap((status) =>
      Array.from({ length: 4 }, () => world.news('crowd:2', status)),
    );
    await Promise.all(news);
    expect((await story('crowd')).filter((line) => line.endsWith('2'))).toHaveLength(3);
    expect((await world.stockOf('w'))['west']?.onHand).toBe((stock['west']?.onHand ?? 0) - 2);
  });

  it('leaves versions without a gap, and sequences without a gap on each topic', async () => {
    const events = await world.told('crowd');
    expect(events.map(({ version }) => version)).toEqual(events.map((_, i) => i + 1));
    for (const topic of ['shipments', 'invoices', 'deliveries', 'order-status']) {
      const onTopic = events.filter((event) => event.topic === topic);
      expect(onTopic.map(({ sequence }) => sequence)).toEqual(onTopic.map((_, i) => i + 1));
    }
  });
});
