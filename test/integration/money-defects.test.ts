import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setPrice } from '../../orders/money/price-list.ts';
import { always, createFulfillmentWorld } from '../helpers/fulfillment-world.ts';
import type { FulfillmentWorld } from '../helpers/fulfillment-world.ts';

let world: FulfillmentWorld;
beforeAll(async () => {
  const payment = [always('decline', 'declined'), { kind: 'lost', share: 0.6, prefix: 'lost' } as const];
  world = await createFulfillmentWorld({ payment });
  await world.stock([{ warehouse: 'east', sku: 'e', onHand: 10_000 }]);
});
afterAll(() => world.drop());

const place = async (orderId: string, unitPrice: number | null = 1_000, country?: string): Promise<void> => {
  const nowhere = { name: null, line1: null, line2: null, city: null, region: null, postalCode: null };
  const shipTo = country === undefined ? null : { ...nowhere, country };
  await world.place(orderId, [{ sku: 'e', unitPrice }], { shipTo });
  await world.activities.takeOrder(orderId, 'run');
};
const charge = (orderId: string) => world.activities.chargeFulfillments(orderId, [`${orderId}:1`]);
const invoiceOf = (orderId: string) =>
  world.db.selectFrom('invoices').selectAll().where('order_id', '=', orderId).executeTakeFirstOrThrow();

describe('Known defects of order systems: money', () => {
  it('a bill is the same when drawn again, and says by which rates and prices it was drawn', async () => {
    await setPrice(world.db, { sku: 'e', currency: 'GBP', unitPrice: 700 });
    await place('listed', null, 'DE');
    await charge('listed');
    const drawn = await invoiceOf('listed');
    await setPrice(world.db, { sku: 'e', currency: 'GBP', unitPrice: 900 });
    await charge('listed');
    expect(await invoiceOf('listed')).toEqual(drawn);
    expect(drawn).toMatchObject({
      ...{ sub_total: 700, tax: 133, shipping: 500, total: 1_333 },
      pricing: { country: 'DE', taxBasisPoints: 1_900, shippingPerShipment: 500, priceListVersion: 1 },
    });
  });

  it('a declined charge has no authorization code, and its reason reaches the order', async () => {
    await place('declined');
    await charge('declined');
    const told = await world.told('declined');
    const failed = told.find(({ type }) => type === 'PaymentFailed');
    expect(failed).toMatchObject({ authCode: null, reason: 'insufficient funds' });
    const fulfillments = world.db.selectFrom('fulfillments').select('reason').where('order_id', '=', 'declined');
    expect(await fulfillments.execute()).toEqual([{ reason: 'OMS_PAYMENT_DECLINED: insufficient funds' }]);
  });

  it('a charge that failed once is not failed for ever: it comes through, once', async () => {
    const ids = Array.from({ length: 12 }, (_, i) => `lost-${i}`);
    await Promise.all(ids.map((id) => place(id)));
    let failures = 0;
    const persist = async (id: string): Promise<unknown> =>
      charge(id).catch((error: unknown) => {
        failures++;
        expect(error).toMatchObject({ type: 'OMS_PAYMENT_UNAVAILABLE', nonRetryable: false });
        return persist(id);
      });
    await Promise.all(ids.map(persist));
    expect(failures).toBeGreaterThan(0);
    for (const id of ids) expect(await world.charged(`${id}:1`)).toEqual({ taken: 1_700, refunded: 0 });
  });

  it('the key of a charge is what is paid, so a re-run never charges again', async () => {
    await place('again');
    for (let i = 0; i < 3; i++) await world.activities.tryFulfil('again', ['again:1']);
    const keys = world.db.selectFrom('simulated_charges').select(['key', 'captured']).where('key', 'like', 'again%');
    expect(await keys.execute()).toEqual([{ key: 'again:1', captured: 1_700 }]);
  });
});
