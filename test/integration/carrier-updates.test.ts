import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readProgress } from '../../orders/record/progress.ts';
import { applyCarrierUpdates } from '../../orders/steps/carrier-updates.ts';
import { createCarrierSimulator } from '../../providers/carrier/simulator.ts';
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

/** What the carrier asks for the first shipment of `paid`, cheapest first. */
async function quotes() {
  const items = [{ sku: 'e', quantity: 3 }];
  const parcel = { key: 'x:1', warehouse: 'east', shipTo: null, items, currency: 'GBP' };
  const offered = await createCarrierSimulator({ db: world.db, latencyMs: 0, pickupMs: 0, faults: [] }).quote(parcel);
  return offered.toSorted((a, b) => a.price - b.price);
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
    expect(await world.news('straight:1', 'delivered')).toMatchObject({ applied: true, wakes: false });
    await world.news('straight:2', 'dispatched');
    expect(await world.news('straight:2', 'delivered')).toEqual({
      orderId: 'straight',
      applied: true,
      late: false,
      shipmentStatus: 'delivered',
      mayCome: false,
      wakes: true,
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

  it('finds the shipment booked with the cheapest service, and its price kept', async () => {
    await paid('quoted');
    const [quote] = await quotes();
    const rows = world.db.selectFrom('shipments').select(['carrier', 'service', 'quoted_price', 'booking_reference']);
    expect(await rows.where('shipment_id', '=', 'quoted:1').executeTakeFirst()).toEqual({
      carrier: quote?.carrier,
      service: 'Economy',
      quoted_price: quote?.price,
      booking_reference: expect.stringMatching(/^BK-/),
    });
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

  it('of a failed delivery waits for the next attempt; each attempt is told, and delivery completes it', async () => {
    await paid('second');
    const before = await world.stockOf('e');
    const failed = { applied: true, shipmentStatus: 'deliveryFailed', wakes: false };
    expect(await world.news('second:1', 'deliveryFailed', 'attempt-1')).toMatchObject(failed);
    expect(await world.news('second:1', 'deliveryFailed', 'attempt-1')).toMatchObject({ ...failed, applied: false });
    expect(await world.news('second:1', 'deliveryFailed', 'attempt-2')).toMatchObject(failed);
    const { fulfillments } = await readProgress(world.db, 'second');
    expect(fulfillments[0]).toMatchObject({ status: 'processing', shipment: 'deliveryFailed', refundDue: false });
    expect(await world.news('second:1', 'delivered')).toMatchObject({ applied: true, shipmentStatus: 'delivered' });
    expect((await readProgress(world.db, 'second')).fulfillments[0]).toMatchObject({ status: 'completed' });
    const told = await world.told('second');
    const ids = told.flatMap(({ topic, eventId }) => (topic === 'deliveries' ? [eventId] : []));
    expect(ids).toEqual(['second/1/DeliveryFailed/1', 'second/1/DeliveryFailed/2', 'second/1/Delivered/1']);
    expect((await world.stockOf('e'))['east']?.onHand).toBe((before['east']?.onHand ?? 0) - 3);
  });

  it('of a return fails the fulfillment, puts its pieces on hand again, and has its money given back', async () => {
    await paid('returned');
    const before = await world.stockOf('e');
    await world.news('returned:1', 'deliveryFailed');
    const back = await world.news('returned:1', 'returnedToSender');
    expect(back).toMatchObject({ applied: true, shipmentStatus: 'returned', wakes: true });
    expect(await world.news('returned:1', 'returnedToSender', 'again')).toEqual({ ...back, applied: false });
    expect(await world.news('returned:1', 'delivered')).toMatchObject({ applied: false, shipmentStatus: 'returned' });
    const reserved = (before['east']?.reserved ?? 0) - 3;
    expect((await world.stockOf('e'))['east']).toEqual({ onHand: before['east']?.onHand, reserved });
    expect((await readProgress(world.db, 'returned')).fulfillments[0]).toMatchObject({
      status: 'failed',
      refundDue: true,
    });
    await world.activities.refundFulfillments('returned');
    const charge = await world.charged('returned:1');
    expect(charge?.refunded).toBe(charge?.taken);
    expect((await story('returned')).filter((line) => line.endsWith('1'))).toEqual([
      'ShipmentBooked 1',
      'ShipmentDispatched 1',
      'DeliveryFailed 1',
      'ReturnedToSender 1',
    ]);
  });

  it('of a return that comes alone implies that it had left: nothing is missing and nothing is on hand twice', async () => {
    await paid('straight-back');
    const before = await world.stockOf('e');
    await world.news('straight-back:1', 'returnedToSender');
    const reserved = (before['east']?.reserved ?? 0) - 3;
    expect((await world.stockOf('e'))['east']).toEqual({ onHand: before['east']?.onHand, reserved });
  });

  it('that it is in transit means that it was dispatched, and is kept for each time it is told', async () => {
    await paid('moving');
    expect(await world.news('moving:1', 'inTransit', 'hub-1')).toMatchObject({
      applied: true,
      shipmentStatus: 'dispatched',
    });
    expect(await world.news('moving:1', 'inTransit', 'hub-1')).toMatchObject({ applied: false });
    expect(await world.news('moving:1', 'inTransit', 'hub-2')).toMatchObject({ applied: true });
    await world.news('moving:1', 'delivered');
    expect(await world.news('moving:1', 'inTransit', 'hub-3')).toMatchObject({ applied: false });
    expect((await story('moving')).filter((line) => line.endsWith('1'))).toHaveLength(3);
    const kept = world.db.selectFrom('carrier_updates').select(['update_id', 'applied']);
    expect(
      await kept.where('shipment_id', '=', 'moving:1').where('status', '=', 'inTransit').orderBy('update_id').execute(),
    ).toEqual([
      { update_id: 'hub-1', applied: true },
      { update_id: 'hub-2', applied: true },
      { update_id: 'hub-3', applied: false },
    ]);
  });

  it('under an id that another shipment’s news has counts for its own shipment', async () => {
    await paid('same-id');
    await world.news('same-id:1', 'deliveryFailed', '1');
    expect(await world.news('same-id:2', 'deliveryFailed', '1')).toMatchObject({ applied: true });
  });

  it('twice in one go counts once', async () => {
    await paid('one-go');
    const item = { updateId: 'a', shipmentId: 'one-go:1', status: 'deliveryFailed', at: 0 } as const;
    const news = { ...item, carrier: null, trackingNumber: null, detail: null };
    const outcomes = await applyCarrierUpdates(world.db, world.encoder, 'one-go', [news, news]);
    expect(outcomes.map(({ applied }) => applied)).toEqual([true, false]);
    expect((await story('one-go')).filter((line) => line.startsWith('DeliveryFailed'))).toHaveLength(1);
  });

  it('about a shipment nobody booked changes nothing, and answers that there is none', async () => {
    await paid('other');
    const nothing = { applied: false, shipmentStatus: null, mayCome: true };
    expect(await world.news('other:9', 'delivered')).toMatchObject(nothing);
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
