import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FaultRule } from '../../platform/config/fault-rules.ts';
import type { CarrierFault } from '../../platform/config/settings.ts';
import { createCarrierSimulator } from '../../providers/carrier/simulator.ts';
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

const simulator = (options: { pickupMs?: number; faults?: FaultRule<CarrierFault>[] } = {}) =>
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
