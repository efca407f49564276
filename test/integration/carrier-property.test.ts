import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { CarrierUpdate } from '../../domain/carrier-status.ts';
import { readProgress } from '../../orders/record/progress.ts';
import { applyCarrierUpdates } from '../../orders/steps/carrier-updates.ts';
import { createFulfillmentWorld } from '../helpers/fulfillment-world.ts';
import type { FulfillmentWorld } from '../helpers/fulfillment-world.ts';

let world: FulfillmentWorld;
let orders = 0;
const ON_HAND = 1_000_000;
const QUANTITY = 3;
beforeAll(async () => {
  world = await createFulfillmentWorld();
  await world.stock([{ warehouse: 'east', sku: 'e', onHand: ON_HAND }]);
});
afterAll(() => world.drop());

type News = Pick<CarrierUpdate, 'updateId' | 'status'>;
/** What a carrier tells of one shipment: its way, and what became of it. */
const WAY: News[] = [
  { updateId: 'booked', status: 'booked' },
  { updateId: 'picked-up', status: 'dispatched' },
  { updateId: 'hub', status: 'inTransit' },
  { updateId: 'attempt-1', status: 'deliveryFailed' },
  { updateId: 'attempt-2', status: 'deliveryFailed' },
];
const ENDINGS = { delivered: 'delivered', returnedToSender: 'returned' } as const;

/** The way with its ending, each told at least once, in any order, cut into batches. */
const stories = fc.constantFrom(...(Object.keys(ENDINGS) as (keyof typeof ENDINGS)[])).chain((ending) => {
  const all = [...WAY, { updateId: 'end', status: ending }];
  const told = fc
    .array(fc.nat(all.length - 1), { maxLength: 6 })
    .chain((again) => fc.shuffledSubarray([...all.keys(), ...again], { minLength: all.length + again.length }));
  return fc.record({
    ending: fc.constant(ending),
    news: told.map((order) => order.flatMap((i) => all[i] ?? [])),
    batch: fc.integer({ min: 1, max: 4 }),
    isBooked: fc.boolean(),
    atOnce: fc.boolean(),
  });
});

async function paidOrder(isBooked: boolean): Promise<string> {
  const id = `property-${++orders}`;
  await world.place(id, [{ sku: 'e', quantity: QUANTITY }]);
  await world.activities.takeOrder(id, 'run');
  await world.activities.chargeFulfillments(id, [`${id}:1`]);
  if (isBooked) await world.activities.bookShipments(id, [`${id}:1`]);
  return id;
}

async function hear(id: string, news: readonly News[], batch: number, atOnce: boolean): Promise<void> {
  const unknown = { carrier: null, trackingNumber: null, detail: null, at: Date.UTC(2026, 0, 2) };
  const updates = news.map((one): CarrierUpdate => ({ ...one, ...unknown, shipmentId: `${id}:1` }));
  const batches = Array.from({ length: Math.ceil(updates.length / batch) }, (_, i) =>
    updates.slice(i * batch, (i + 1) * batch),
  );
  const apply = (some: readonly CarrierUpdate[]) => applyCarrierUpdates(world.db, world.encoder, id, some);
  if (atOnce) await Promise.all(batches.map(apply));
  else for (const some of batches) await apply(some);
}

describe('any order and any repetition of what a carrier tells of a shipment', () => {
  it('comes to the same end, tells each event once and in a possible order, and leaves the stock right', async () => {
    const property = fc.asyncProperty(stories, async ({ ending, news, batch, isBooked, atOnce }) => {
      const before = await world.stockOf('e');
      const id = await paidOrder(isBooked);
      await hear(id, news, batch, atOnce);
      const [fulfillment] = (await readProgress(world.db, id)).fulfillments;
      expect(fulfillment).toMatchObject({
        shipment: ENDINGS[ending],
        status: ending === 'delivered' ? 'completed' : 'failed',
        refundDue: ending !== 'delivered',
      });
      const gone = ending === 'delivered' ? QUANTITY : 0;
      const { onHand = 0, reserved } = before['east'] ?? {};
      expect((await world.stockOf('e'))['east']).toEqual({ onHand: onHand - gone, reserved });
      await assertEvents(id, ending, news, atOnce);
    });
    await fc.assert(property, { numRuns: 100 });
  });
});

async function assertEvents(
  id: string,
  ending: keyof typeof ENDINGS,
  news: readonly News[],
  atOnce: boolean,
): Promise<void> {
  const told = await world.told(id);
  expect(new Set(told.map(({ eventId }) => eventId)).size).toBe(told.length);
  expect(told.map(({ version }) => version)).toEqual(told.map((_, i) => i + 1));
  const types = told.flatMap(({ topic, type }) => (topic === 'shipments' || topic === 'deliveries' ? [type] : []));
  const failed = types.filter((type) => type === 'DeliveryFailed').length;
  const end = ending === 'delivered' ? 'Delivered' : 'ReturnedToSender';
  expect(types).toEqual(['ShipmentBooked', 'ShipmentDispatched', ...Array<string>(failed).fill('DeliveryFailed'), end]);
  if (atOnce) return;
  // Only an attempt heard of before the end can still be told.
  const beforeEnd = news.slice(
    0,
    news.findIndex(({ updateId }) => updateId === 'end'),
  );
  const attempts = beforeEnd.filter(({ status }) => status === 'deliveryFailed').map(({ updateId }) => updateId);
  expect(failed).toBe(new Set(attempts).size);
}
