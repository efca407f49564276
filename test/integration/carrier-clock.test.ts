import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import type { FaultRule } from '../../platform/config/fault-rules.ts';
import type { CarrierFault } from '../../platform/config/settings.ts';
import { startCarrierClock } from '../../providers/carrier/clock.ts';
import type { CarrierClockOptions } from '../../providers/carrier/clock.ts';
import type { CarrierNews, RunningPushes } from '../../providers/carrier/port.ts';
import { createCarrierSimulator } from '../../providers/carrier/simulator.ts';
import { createTestDatabase } from '../helpers/database.ts';
import type { TestDatabase } from '../helpers/database.ts';
import { waitFor } from '../helpers/wait.ts';

let test: TestDatabase;
let clocks: RunningPushes[];
let told: CarrierNews[];

beforeEach(async () => {
  test = await createTestDatabase();
  clocks = [];
  told = [];
});
afterEach(async () => {
  await Promise.all(clocks.map((clock) => clock.stop()));
  await test.drop();
});

const takeAll: CarrierClockOptions['deliver'] = async (news) => {
  told.push(...news);
  return new Set(news.map(({ updateId }) => updateId));
};

function startClock(options: Partial<CarrierClockOptions> = {}): RunningPushes {
  const clock = startCarrierClock({
    db: test.db,
    transitMs: 0,
    faults: [],
    deliver: takeAll,
    logger: pino({ level: 'silent' }),
    ...options,
  });
  clocks.push(clock);
  return clock;
}

const carrier = (pickupMs = 0) => createCarrierSimulator({ db: test.db, latencyMs: 0, pickupMs, faults: [] });

async function book(count = 1, pickupMs = 0): Promise<string[]> {
  const keys = Array.from({ length: count }, () => `${randomUUID()}:1`);
  const parcel = { warehouse: 'north', shipTo: null, items: [{ sku: 'MUG', quantity: 1 }], currency: 'GBP' };
  await Promise.all(keys.map((key) => carrier(pickupMs).book({ key, ...parcel, service: null })));
  return keys;
}

const statusesTold = (key: string) => told.filter(({ shipmentId }) => shipmentId === key).map(({ status }) => status);
const only = (kind: CarrierFault): FaultRule<CarrierFault>[] => [{ kind, share: 1, prefix: null }];

describe('the simulated carrier’s clock', () => {
  it('tells of pick-up and then of delivery, by itself', async () => {
    const [key = ''] = await book();
    startClock();
    await waitFor('delivery', () => statusesTold(key).includes('delivered'));
    expect(statusesTold(key)).toEqual(['dispatched', 'delivered']);
    expect(told[0]).toMatchObject({ updateId: `${key}/dispatched`, trackingNumber: expect.any(String) });
  });

  it('keeps to the times: transit after pick-up, pick-up after booking', async () => {
    const [key = ''] = await book(1, 30);
    startClock({ transitMs: 40 });
    await waitFor('delivery', () => statusesTold(key).includes('delivered'));
    const row = await test.db
      .selectFrom('simulated_bookings')
      .selectAll()
      .where('key', '=', key)
      .executeTakeFirstOrThrow();
    const times = told.map(({ at }) => at - row.booked_at.getTime());
    // Rounded to ms on the way.
    expect(times[0]).toBeGreaterThanOrEqual(29);
    expect(times[0]).toBeLessThanOrEqual(31);
    expect(times[1]).toBe((times[0] ?? 0) + 40);
  });

  it('tells what fell due while nobody ran', async () => {
    const keys = await book(3);
    await waitFor('all to be due', async () => (await carrier().track(keys[2] ?? ''))?.status === 'dispatched');
    startClock();
    await waitFor('all deliveries', () => keys.every((key) => statusesTold(key).includes('delivered')));
  });

  it('does not tell of a pick-up that was called off', async () => {
    const [kept = '', off = ''] = [...(await book(1, 100)), ...(await book(1, 3_600_000))];
    await carrier().cancel(off);
    startClock();
    await waitFor('the other delivery', () => statusesTold(kept).includes('delivered'));
    expect(statusesTold(off)).toEqual([]);
  });

  it('tells news again that was not taken, and does not hold up the others meanwhile', async () => {
    const [slow = '', quick = ''] = await book(2);
    let refusals = 0;
    const deliver: CarrierClockOptions['deliver'] = async (news) => {
      const taken = await takeAll(news.filter(({ shipmentId }) => shipmentId !== slow || refusals > 0));
      if (news.some(({ shipmentId }) => shipmentId === slow)) refusals++;
      return taken;
    };
    startClock({ deliver });
    await waitFor('the slow delivery', () => statusesTold(slow).includes('delivered'));
    expect(statusesTold(slow)).toEqual(['dispatched', 'delivered']);
    const order = told.map(({ updateId }) => updateId);
    expect(order.indexOf(`${quick}/delivered`)).toBeLessThan(order.indexOf(`${slow}/dispatched`));
  });

  it('tells everything again when taking it failed, and says meanwhile that news is delayed', async () => {
    const [key = ''] = await book();
    let away = true;
    const deliver: CarrierClockOptions['deliver'] = (news) =>
      away ? Promise.reject(new Error('the database is away')) : takeAll(news);
    const clock = startClock({ deliver });
    await waitFor('the check to fail', () => clock.check()?.includes('away'));
    away = false;
    await waitFor('delivery', () => statusesTold(key).includes('delivered'));
    await waitFor('the check to hold', () => clock.check() === null);
  });

  it('shares the work with other clocks: nobody is told twice, nothing is left out', async () => {
    const keys = await book(200);
    for (let i = 0; i < 3; i++) startClock({ batch: 20 });
    await waitFor('all deliveries', () => told.length >= keys.length * 2);
    expect(new Set(told.map(({ updateId }) => updateId)).size).toBe(keys.length * 2);
    expect(told).toHaveLength(keys.length * 2);
  });

  it('can stay silent about a parcel that moves on all the same', async () => {
    const [key = ''] = await book();
    startClock({ faults: only('silent') });
    await waitFor('delivery', async () => (await carrier().track(key))?.status === 'delivered');
    expect(told).toEqual([]);
  });

  it('can fail to deliver, and brings the parcel back', async () => {
    const [key = ''] = await book();
    startClock({ faults: only('deliveryFailed') });
    await waitFor('the way back', () => statusesTold(key).includes('returnedToSender'));
    expect(statusesTold(key)).toEqual(['dispatched', 'deliveryFailed', 'returnedToSender']);
  });

  it('can fail to deliver at first, and deliver at the second attempt', async () => {
    const [key = ''] = await book();
    startClock({ faults: only('redelivered') });
    await waitFor('delivery', () => statusesTold(key).includes('delivered'));
    expect(statusesTold(key)).toEqual(['dispatched', 'deliveryFailed', 'delivered']);
  });

  it('can tell everything twice, with the same ids', async () => {
    const [key = ''] = await book();
    startClock({ faults: only('duplicate') });
    await waitFor('delivery, twice', () => statusesTold(key).filter((status) => status === 'delivered').length === 2);
    expect(statusesTold(key)).toEqual(['dispatched', 'dispatched', 'delivered', 'delivered']);
    expect(new Set(told.map(({ updateId }) => updateId)).size).toBe(2);
  });

  it('can tell of the pick-up after the delivery, with the time at which it was', async () => {
    const [key = ''] = await book();
    startClock({ faults: only('reordered'), transitMs: 20 });
    await waitFor('both', () => statusesTold(key).length === 2);
    expect(statusesTold(key)).toEqual(['delivered', 'dispatched']);
    expect((told[0]?.at ?? 0) - (told[1]?.at ?? 0)).toBe(20);
  });

  it('can push what nobody can read, and the true news with it', async () => {
    const [key = ''] = await book();
    startClock({ faults: only('garbled') });
    await waitFor('delivery', () => statusesTold(key).includes('delivered'));
    expect(statusesTold(key)).toEqual(['lost in space', 'dispatched', 'lost in space', 'delivered']);
  });
});
