import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FaultRule } from '../../platform/config/fault-rules.ts';
import type { CarrierFault } from '../../platform/config/settings.ts';
import { createCarrierSimulator } from '../../providers/carrier/simulator.ts';
import { createFulfillmentWorld } from '../helpers/fulfillment-world.ts';
import type { FulfillmentWorld } from '../helpers/fulfillment-world.ts';
import { createTestDatabase } from '../helpers/database.ts';
import type { TestDatabase } from '../helpers/database.ts';
import { carrierContract } from '../providers/carrier-contract.ts';

const HOUR_MS = 3_600_000;
const REFUSE_BAD: FaultRule<CarrierFault>[] = [{ kind: 'refuse', share: 1, prefix: 'BAD-' }];
let test: TestDatabase;

beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.drop());

const simulator = (options: { pickupMs?: number; faults?: FaultRule<CarrierFault>[]; news?: 'auto' | 'none' } = {}) =>
  createCarrierSimulator({ db: test.db, latencyMs: 0, pickupMs: HOUR_MS, faults: [], ...options });
const booking = (key: string) => ({
  ...{ key, warehouse: 'north', shipTo: null, currency: 'GBP', service: null },
  items: [{ sku: 'MUG', quantity: 1 }],
});

carrierContract('the simulated carrier', {
  provider: () => simulator({ faults: REFUSE_BAD }),
  refusedKey: () => `BAD-${randomUUID()}:1`,
  unheard: (how) => simulator({ faults: [{ kind: how, share: 1, prefix: null }] }),
  cutOff: () => simulator({ faults: [{ kind: 'timeout', share: 1, prefix: null }] }),
  pickedUp: async () => {
    const key = `${randomUUID()}:1`;
    await simulator({ pickupMs: 0 }).book(booking(key));
    return key;
  },
});

describe('the simulated carrier', () => {
  it('counts a parcel as picked up when it is due, before anybody is told', async () => {
    const key = `${randomUUID()}:1`;
    await simulator({ pickupMs: 0 }).book(booking(key));
    const told = await test.db.selectFrom('simulated_bookings').select('status').where('key', '=', key).execute();
    expect(told).toEqual([{ status: 'booked' }]);
    expect(await simulator().track(key)).toMatchObject({ status: 'dispatched', updateId: `${key}/dispatched` });
  });

  it('answers a cancel at once while the news of the pick-up is being told', async () => {
    const key = `${randomUUID()}:1`;
    await simulator({ pickupMs: 0 }).book(booking(key));
    await test.db.transaction().execute(async (tx) => {
      await tx.selectFrom('simulated_bookings').select('key').where('key', '=', key).forUpdate().execute();
      expect(await simulator().cancel(key)).toBe('alreadyPickedUp');
    });
  });

  it('has booked when only its answer was lost', async () => {
    const key = `${randomUUID()}:1`;
    const failing = simulator({ faults: [{ kind: 'lost', share: 1, prefix: null }] });
    await expect(failing.book(booking(key))).rejects.toMatchObject({
      code: 'OMS_CARRIER_UNAVAILABLE',
      retryable: true,
    });
    expect(await simulator().track(key)).toMatchObject({ status: 'booked' });
  });

  it('quotes by warehouse, country and pieces alone: dearer for more and for farther, quicker for more money', async () => {
    const parcel = booking('any:1');
    const price = async (over: Partial<typeof parcel> & { shipTo?: unknown } = {}) =>
      (await simulator().quote({ ...parcel, ...over })).map((quote) => quote.price);
    const address = { name: null, line1: null, line2: null, city: null, region: null, postalCode: null };
    const [economy = 0, express = 0] = await price();
    expect(economy).toBeLessThan(express);
    expect(await price({ key: 'another:1' })).toEqual([economy, express]);
    expect((await price({ items: [{ sku: 'MUG', quantity: 50 }] }))[0]).toBeGreaterThan(economy);
    expect((await price({ shipTo: { ...address, country: 'AU' } as never }))[0]).toBeGreaterThan(economy);
    expect(await price({ shipTo: { ...address, country: 'GB' } as never })).toEqual([economy, express]);
    expect(await price({ warehouse: 'south' })).not.toEqual([economy, express]);
  });

  it('keeps a log of every call that reached it, for audits', async () => {
    const key = `${randomUUID()}:1`;
    const carrier = simulator();
    await carrier.quote(booking(key));
    await carrier.book({ ...booking(key), service: 'Express' });
    await carrier.book(booking(key));
    await carrier.cancel(key);
    await carrier.book(booking(key));
    const calls = test.db.selectFrom('simulated_calls').select(['operation', 'outcome']).where('key', '=', key);
    expect(await calls.orderBy('id').execute()).toEqual([
      { operation: 'quote', outcome: expect.stringMatching(/^Economy \d+, Express \d+$/) },
      { operation: 'book', outcome: 'booked' },
      { operation: 'book', outcome: 'repeat' },
      { operation: 'cancel', outcome: 'cancelled' },
      { operation: 'book', outcome: 'repeat' },
    ]);
  });
});

carrierContract('the simulated carrier, driven by hand', {
  provider: () => simulator({ news: 'none', faults: REFUSE_BAD }),
  refusedKey: () => `BAD-${randomUUID()}:1`,
  unheard: (how) => simulator({ news: 'none', faults: [{ kind: how, share: 1, prefix: null }] }),
  cutOff: () => simulator({ news: 'none', faults: [{ kind: 'timeout', share: 1, prefix: null }] }),
});

describe('the simulated carrier, driven by hand', () => {
  let world: FulfillmentWorld;
  const byHand = () => createCarrierSimulator({ db: world.db, latencyMs: 0, pickupMs: 0, faults: [], news: 'none' });
  const booked = async (orderId: string): Promise<string> => {
    const key = `${orderId}:1`;
    await world.place(orderId, [{ sku: 'e' }]);
    await world.activities.takeOrder(orderId, 'run');
    await world.activities.chargeFulfillments(orderId, [key]);
    await byHand().book(booking(key));
    await world.activities.bookShipments(orderId, [key]);
    return key;
  };
  beforeAll(async () => {
    world = await createFulfillmentWorld();
    await world.stock([{ warehouse: 'east', sku: 'e', onHand: 100 }]);
  });
  afterAll(() => world.drop());

  it('never moves a parcel by itself, and has nothing to tell of it', async () => {
    const key = await booked('still');
    expect(await byHand().track(key)).toMatchObject({ status: 'booked' });
    const due = world.db.selectFrom('simulated_bookings').select('key').where('next_at', 'is not', null);
    expect(await due.execute()).toEqual([]);
  });

  it('says of a parcel what was said by hand, so that asking it changes nothing', async () => {
    const key = await booked('moved');
    await world.news(key, 'dispatched', 'by-hand');
    expect(await byHand().track(key)).toMatchObject({ status: 'dispatched', updateId: 'by-hand' });
    const before = await world.activities.trackShipments('moved', []);
    expect(await world.activities.trackShipments('moved', [key])).toEqual(before);
    await world.news(key, 'delivered', 'by-hand-too');
    expect(await byHand().track(key)).toMatchObject({ status: 'delivered' });
  });

  it('calls off what nobody has picked up, and not what somebody has', async () => {
    const [here, gone] = [await booked('here'), await booked('gone')];
    await world.news(gone, 'dispatched');
    expect(await byHand().cancel(here)).toBe('cancelled');
    expect(await byHand().cancel(gone)).toBe('alreadyPickedUp');
  });
});
