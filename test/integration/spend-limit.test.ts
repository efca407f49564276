import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NO_LIMIT } from '../../domain/money.ts';
import {
  isMaintenance,
  readDefaultLimits,
  readSpending,
  setCustomerLimit,
  setDefaultLimit,
  setMaintenance,
} from '../../orders/money/spend.ts';
import { always, createFulfillmentWorld } from '../helpers/fulfillment-world.ts';
import type { FulfillmentWorld } from '../helpers/fulfillment-world.ts';

let world: FulfillmentWorld;
beforeAll(async () => {
  world = await createFulfillmentWorld({ payment: [always('decline', 'declined'), always('lost', 'lost')] });
  await world.stock([{ warehouse: 'east', sku: 'e', onHand: 100_000 }]);
});
afterAll(() => world.drop());

/** An order of one fulfillment, 17.00 with tax and shipping unless the price says otherwise. */
const place = async (orderId: string, customerId: string, unitPrice = 1_000, currency = 'GBP'): Promise<void> => {
  await world.place(orderId, [{ sku: 'e', unitPrice }], { customerId, currency });
  await world.activities.takeOrder(orderId, 'run');
};
const charge = async (orderId: string) =>
  (await world.activities.chargeFulfillments(orderId, [`${orderId}:1`])).fulfillments[0];
const spentBy = async (customerId: string, currency = 'GBP') =>
  (await readSpending(world.db, customerId, 10)).find((one) => one.currency === currency)?.spent;
const limit = (customerId: string, amount: number | null, currency = 'GBP') =>
  setCustomerLimit(world.db, { customerId, currency, limit: amount });

describe('A spend limit', () => {
  it('lets through what comes exactly to it, and fails what goes past it, with the reason', async () => {
    await limit('anna', 3_400);
    for (const id of ['a-1', 'a-2', 'a-3']) await place(id, 'anna');
    expect(await charge('a-1')).toMatchObject({ payment: 'success' });
    expect(await charge('a-2')).toMatchObject({ payment: 'success' });
    expect(await charge('a-3')).toMatchObject({ status: 'failed', payment: 'failed', refundDue: false });
    expect(await spentBy('anna')).toBe(3_400);
    const failed = (await world.told('a-3')).find(({ type }) => type === 'PaymentFailed');
    expect(failed?.['reason']).toContain('OMS_SPEND_LIMIT_EXCEEDED');
    expect(await world.charged('a-3:1')).toBeNull();
    expect((await world.stockOf('e'))['east']?.reserved).toBe(2);
  });

  it('counts a charge once, however often its step is repeated', async () => {
    await limit('berta', 1_700);
    await place('lost-1', 'berta');
    for (let i = 0; i < 3; i++) await charge('lost-1').catch(() => undefined);
    expect(await spentBy('berta')).toBe(1_700);
    expect(await charge('lost-1').catch(() => 'no answer')).toBe('no answer');
  });

  it('counts each of many charges at once, and no two of them into the same room', async () => {
    await limit('carla', 5 * 1_700);
    const ids = Array.from({ length: 12 }, (_, i) => `c-${i}`);
    await Promise.all(ids.map((id) => place(id, 'carla')));
    const ends = await Promise.all(ids.flatMap((id) => [charge(id), charge(id)]));
    expect(ends.filter((end) => end?.payment === 'success')).toHaveLength(10);
    expect(await spentBy('carla')).toBe(5 * 1_700);
  });

  it('gets back what is credited: a declined charge, a cancelled order', async () => {
    await limit('dora', 1_700);
    for (const id of ['declined-1', 'd-1', 'd-2']) await place(id, 'dora');
    expect(await charge('declined-1')).toMatchObject({ payment: 'failed' });
    expect(await spentBy('dora')).toBe(0);
    expect(await charge('d-1')).toMatchObject({ payment: 'success' });
    await world.activities.callOffShipments('d-1', ['d-1:1'], { fulfillmentId: null, cause: 'c', reason: 'late' });
    expect(await spentBy('dora')).toBe(0);
    await world.activities.refundFulfillments('d-1');
    expect(await spentBy('dora')).toBe(0);
    expect(await charge('d-2')).toMatchObject({ payment: 'success' });
  });

  it('counts what was spent before it was set, and stays with a decision once it is made', async () => {
    for (const id of ['e-1', 'e-2']) await place(id, 'elsa');
    await charge('e-1');
    await limit('elsa', 1_700);
    expect(await charge('e-2')).toMatchObject({ payment: 'failed' });
    await limit('elsa', NO_LIMIT);
    expect(await charge('e-2')).toMatchObject({ payment: 'failed' });
  });

  it('is one currency’s; a default of the currency holds for whoever has none of their own', async () => {
    await setDefaultLimit(world.db, 'EUR', 1_000);
    await limit('frida', 50_000, 'EUR');
    for (const [id, customer] of [['f-1', 'frida'] as const, ['g-1', 'gerda'] as const]) {
      await place(id, customer, 1_000, 'EUR');
    }
    await place('g-2', 'gerda');
    expect(await charge('f-1')).toMatchObject({ payment: 'success' });
    expect(await charge('g-1')).toMatchObject({ payment: 'failed' });
    expect(await charge('g-2')).toMatchObject({ payment: 'success' });
    expect(await readDefaultLimits(world.db)).toEqual([{ currency: 'EUR', limit: 1_000 }]);
    await setDefaultLimit(world.db, 'EUR', null);
    await place('g-3', 'gerda', 1_000, 'EUR');
    expect(await charge('g-3')).toMatchObject({ payment: 'success' });
    expect(await spentBy('gerda', 'EUR')).toBe(1_800);
  });

  it('of the largest exact amount is reached by nobody', async () => {
    await limit('hanna', NO_LIMIT);
    await place('h-1', 'hanna', 4_000_000_000_000);
    expect(await charge('h-1')).toMatchObject({ payment: 'success' });
    expect(await spentBy('hanna')).toBe(4_800_000_000_500);
  });
});

describe('Maintenance mode', () => {
  it('holds every payment, decides nothing, and lets them go on when it is off', async () => {
    for (const id of ['m-1', 'lost-m']) await place(id, 'maria');
    await charge('lost-m').catch(() => undefined);
    const asked = async () =>
      (await world.db.selectFrom('simulated_calls').selectAll().where('key', '=', 'lost-m:1').execute()).length;
    const before = await asked();
    await setMaintenance(world.db, true);
    expect(await isMaintenance(world.db)).toBe(true);
    const held = expect.objectContaining({ type: 'OMS_PAYMENT_MAINTENANCE', nonRetryable: false }) as unknown as Error;
    for (const id of ['m-1', 'lost-m']) await expect(charge(id)).rejects.toThrow(held);
    expect(await asked()).toBe(before);
    expect(await spentBy('maria')).toBe(1_700);
    expect((await world.told('m-1')).filter(({ type }) => type)).toEqual([]);
    await setMaintenance(world.db, false);
    expect(await charge('m-1')).toMatchObject({ payment: 'success' });
    expect(await spentBy('maria')).toBe(3_400);
  });

  it('lets money go back', async () => {
    await place('m-2', 'maria');
    await charge('m-2');
    await setMaintenance(world.db, true);
    await world.activities.callOffShipments('m-2', ['m-2:1'], { fulfillmentId: null, cause: 'c', reason: 'late' });
    await world.activities.refundFulfillments('m-2');
    await setMaintenance(world.db, false);
    expect(await world.charged('m-2:1')).toEqual({ taken: 1_700, refunded: 1_700 });
  });

  it('survives a limit being set, and limits survive it', async () => {
    await limit('nora', 1_000);
    await setMaintenance(world.db, true);
    await setMaintenance(world.db, false);
    expect(await readSpending(world.db, 'nora', 1)).toMatchObject([{ limit: 1_000, spent: 0 }]);
  });
});
