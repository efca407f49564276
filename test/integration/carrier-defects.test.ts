import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createCarrierTopicWorld } from '../helpers/carrier-topic-world.ts';
import type { CarrierTopicWorld, RunningNews } from '../helpers/carrier-topic-world.ts';

let world: CarrierTopicWorld;
let news: RunningNews;
beforeAll(async () => {
  world = await createCarrierTopicWorld();
  news = await world.startNews();
});
afterAll(async () => {
  await news.stop();
  await world.drop();
});

const statusOnRow = (shipmentId: string) =>
  world.db
    .selectFrom('shipments')
    .select(['status', 'updated_at', 'booked_at'])
    .where('shipment_id', '=', shipmentId)
    .executeTakeFirstOrThrow();

describe('what is known of a shipment', () => {
  it('is complete once it has ended: every piece of news is drained, none is half applied, and its history is bounded', async () => {
    const id = await world.booked();
    const many = Array.from({ length: 50 }, (_, i) => world.update(`${id}:1`, 'inTransit', { updateId: `scan-${i}` }));
    const last = world.update(`${id}:1`, 'delivered');
    await world.produce(...many, last, world.update(`${id}:1`, 'inTransit', { updateId: 'after' }));
    await world.untilRead();
    const kept = world.db.selectFrom('carrier_updates').select(['update_id', 'applied']);
    const rows = await kept.where('shipment_id', '=', `${id}:1`).execute();
    expect(rows.filter(({ applied }) => applied)).toHaveLength(51);
    expect(rows.find(({ update_id }) => update_id === 'after')).toMatchObject({ applied: false });
    expect((await statusOnRow(`${id}:1`)).status).toBe('delivered');
    // Fifty scans are no fifty events.
    const told = (await world.told(id)).filter(({ shipmentId }) => shipmentId === `${id}:1`);
    expect(told.map(({ type }) => type)).toEqual(['ShipmentBooked', 'ShipmentDispatched', 'Delivered']);
  });

  it('never goes backwards, is never a word nobody knows, and can be cancelled, fail, and come back', async () => {
    const [id, other] = [await world.booked(), await world.booked()];
    await world.produce(
      world.update(`${id}:1`, 'delivered'),
      world.update(`${id}:1`, 'booked'),
      world.update(`${id}:1`, 'cancelled'),
      world.update(`${id}:2`, 'Unknown'),
      world.update(`${other}:1`, 'cancelled'),
      world.update(`${other}:2`, 'deliveryFailed'),
      world.update(`${other}:2`, 'returnedToSender'),
    );
    await world.untilRead();
    expect(await world.shipments(id)).toEqual(['delivered', 'booked']);
    expect(await world.shipments(other)).toEqual(['cancelled', 'returned']);
  });

  it('is the same everywhere, because state and events are one transaction: no list stays behind', async () => {
    const id = await world.booked();
    await world.produce(world.update(`${id}:1`, 'delivered'), world.update(`${id}:2`, 'dispatched'));
    await world.untilRead();
    const told = await world.told(id);
    const last = told.findLast(({ topic }) => topic === 'order-status') as {
      fulfillments?: { shipmentStatus: string }[];
    };
    const rows = [await statusOnRow(`${id}:1`), await statusOnRow(`${id}:2`)].map(({ status }) => status);
    expect(rows).toEqual(['delivered', 'dispatched']);
    expect(last.fulfillments?.map(({ shipmentStatus }) => shipmentStatus)).toEqual(rows);
    expect(await world.shipments(id)).toEqual(rows);
  });

  it('names its carrier, a reference and a tracking number of its own, and when it was booked', async () => {
    const ids = [await world.booked(), await world.booked()];
    const told = (await Promise.all(ids.map((id) => world.told(id)))).flat();
    const booked = told.filter(({ type }) => type === 'ShipmentBooked');
    expect(booked).toHaveLength(4);
    for (const field of ['bookingReference', 'trackingNumber']) {
      expect(new Set(booked.map((event) => event[field])).size).toBe(4);
    }
    expect(booked[0]).toMatchObject({ carrier: 'Simulated Parcels', items: [{ sku: 'e', quantity: 3 }] });
    const { booked_at, updated_at } = await statusOnRow(`${ids[0]}:1`);
    expect(booked_at?.getTime()).toBeGreaterThan(Date.UTC(2026, 0, 1));
    expect(updated_at.getTime()).toBeGreaterThan(Date.UTC(2026, 0, 1));
  });
});
