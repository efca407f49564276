import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CARRIER_STATUSES } from '../../domain/carrier-status.ts';
import type { CarrierUpdate } from '../../schemas/index.ts';
import { createCarrierTopicWorld } from '../helpers/carrier-topic-world.ts';
import type { CarrierTopicWorld } from '../helpers/carrier-topic-world.ts';
import { contentsOf } from '../helpers/contents.ts';
import { plan, run, runUntilKilled } from '../helpers/replays.ts';

let world: CarrierTopicWorld;
beforeAll(async () => {
  world = await createCarrierTopicWorld();
});
afterAll(() => world.drop());

const from = { from: 'carrier-updates' };

/** All that news may change. */
const TABLES = ['carrier_updates', 'parked_carrier_news', 'shipments', 'outbox', 'stock', 'dead_letters'];
const state = (): Promise<string> => contentsOf(world.db, TABLES);

describe("a topic of carriers' news of every kind", () => {
  const EXPECTED = { new: 4, known: 4, superseded: 1, late: 1, waiting: 1, unknown: 1, poison: 2 };
  let open: string;
  let waiting: string;

  beforeAll(async () => {
    open = await world.booked();
    const closed = await world.booked();
    for (const n of [1, 2]) await world.news(`${closed}:${n}`, 'delivered');
    await world.activities.closeOrder(closed, { handled: [], timedOut: false });
    waiting = `${open}-waiting`;
    await world.place(waiting, [{ sku: 'e' }]);
    await world.news(`${open}:2`, 'dispatched', 'pushed');
    const { update } = world;
    await world.produce(
      update(`${open}:1`, 'dispatched'),
      update(`${open}:1`, 'dispatched'),
      update(`${open}:1`, 'delivered'),
      update(`${open}:1`, 'dispatched', { updateId: 'behind' }),
      update(`${closed}:1`, 'deliveryFailed'),
      update(`${closed}:1`, 'deliveryFailed'),
      update(`${waiting}:1`, 'booked'),
      update(`${waiting}:1`, 'booked'),
      update('nobody:1', 'booked'),
      update(`${open}:2`, 'dispatched', { updateId: 'pushed' }),
      update(`${open}:2`, 'deliveryFailed', { updateId: 'first try' }),
      update(`${open}:2`, 'deliveryFailed', { updateId: 'second try' }),
      { key: `${open}:1`, value: Buffer.from('not Avro') },
      {
        key: 'another key',
        value: world.codec.encode(`${world.prefix}carrier-updates`, update(`${open}:1`, 'booked')),
      },
    );
  });

  it('is planned without being touched: each record is what the receiver would make of it', async () => {
    const before = await state();
    const { planned } = await plan(world.environment, { options: from });
    expect(planned?.tallies).toEqual(EXPECTED);
    expect(planned?.samples.late?.map(({ eventId }) => eventId)).toEqual([expect.stringContaining('deliveryFailed')]);
    expect(planned?.samples.poison?.map(({ code }) => code)).toEqual([
      'OMS_INGEST_NOT_AVRO',
      'OMS_INGEST_KEY_MISMATCH',
    ]);
    expect(await state()).toBe(before);
  });

  it('is cut by order, shipment, status and offset', async () => {
    const tallies = async (asked: Parameters<typeof plan>[1]) =>
      (await plan(world.environment, { ...asked, options: { ...from, ...asked?.options } })).planned?.tallies;
    expect(await tallies({ options: { keys: [`${open}:2`] } })).toEqual({ new: 2, known: 1, filtered: 11 });
    expect(await tallies({ options: { orderIds: ['nobody'] } })).toEqual({ unknown: 1, filtered: 13 });
    expect(await tallies({ options: { types: ['delivered'] } })).toEqual({ new: 1, filtered: 13 });
    expect(await tallies({ spans: [{ partition: 0, from: 2, to: 3 }] })).toEqual({ new: 1, superseded: 1 });
    expect(await tallies({ options: { toTime: 1 } })).toEqual({ filtered: 14 });
  });

  it('is validated without being touched', async () => {
    const before = await state();
    const { replayId } = await plan(world.environment, { mode: 'validate', options: from });
    expect(await run(world.environment, replayId)).toMatchObject({ tallies: EXPECTED, effects: {} });
    expect(await state()).toBe(before);
  });

  it('is run: what is new is applied, and a second run has no effect', async () => {
    const { replayId } = await plan(world.environment, { options: from });
    const result = await run(world.environment, replayId);
    expect(result).toMatchObject({ state: 'finished', tallies: EXPECTED });
    expect(result.effects).toEqual({ applied: 4, noted: 2, parked: 1, deadLettered: 3 });
    expect(await world.shipments(open)).toEqual(['delivered', 'deliveryFailed']);
    const letters = (await world.deadLetters()).map(({ headers }) => headers['oms-dlq-error-code']).sort();
    expect(letters).toEqual(['OMS_INGEST_KEY_MISMATCH', 'OMS_INGEST_NOT_AVRO', 'OMS_INGEST_SHIPMENT_UNKNOWN']);

    const before = await state();
    const second = await plan(world.environment, { options: from });
    expect(second.planned?.tallies).toEqual({ known: 11, unknown: 1, poison: 2 });
    expect((await run(world.environment, second.replayId)).effects).toEqual({});
    expect(await state()).toBe(before);
    expect(await world.deadLetters()).toHaveLength(3);
  });

  it('is nothing new to the live consumer afterwards', async () => {
    const news = await world.startNews();
    await world.untilRead();
    const counted = await news.counted();
    await news.stop();
    expect(counted['topic applied']).toBeUndefined();
    expect(await world.deadLetters()).toHaveLength(3);
  });
});

describe('a plan', () => {
  it('comes to what the live consumer then does, whatever the news', async () => {
    const orders = await Promise.all([world.booked(), world.booked(), world.booked()]);
    const status = fc.constantFrom<CarrierUpdate['status'][]>(...CARRIER_STATUSES);
    const shipments = orders.flatMap((id) => [`${id}:1`, `${id}:2`, `${id}:3`]);
    const arbitrary = fc.tuple(fc.constantFrom(...shipments), status, fc.integer({ min: 1, max: 2 }));
    const updates = fc
      .sample(arbitrary, { numRuns: 120, seed: 20_260_302 })
      .map(([id, what, n]) => world.update(id, what, { updateId: `${what}-${n}` }));
    await world.produce(...updates);
    const { planned } = await plan(world.environment, { options: { ...from, orderIds: orders } });
    const news = await world.startNews();
    await world.untilRead();
    const counted = await news.counted();
    await news.stop();
    const { new: applied, waiting = 0 } = planned?.tallies ?? {};
    expect(applied).toBeGreaterThan(5);
    expect(waiting).toBeGreaterThan(0);
    expect(counted['topic applied']).toBe(applied);
    expect(counted['topic parked']).toBeGreaterThanOrEqual(waiting);
  });
});

describe('a run that is killed', () => {
  it('goes on where it stood: nothing twice, nothing left out, effects and totals those of the plan', async () => {
    const orders: string[] = [];
    for (let n = 0; n < 8; n++) orders.push(await world.booked());
    const records = orders.flatMap((id, i) => [
      ...[1, 2].map((n) => world.update(`${id}:${n}`, 'dispatched')),
      ...(i % 2 === 0 ? [{ key: `${id}:1`, value: Buffer.from(`bad ${i}`) }] : []),
    ]);
    await world.produce(...records);
    const lettersBefore = (await world.deadLetters()).length;
    const { replayId, planned } = await plan(world.environment, { options: { ...from, orderIds: orders, rate: 8 } });
    expect(planned?.tallies).toMatchObject({ new: 16, poison: 4 });
    for (const step of ['finished', 'deadLettersMarked'] as const)
      expect(await runUntilKilled(world, replayId, step)).toMatchObject({ end: 'SIGKILL' });
    const { tallies, effects } = await run(world.environment, replayId);
    expect({ tallies, effects }).toEqual({ tallies: planned?.tallies, effects: { applied: 16, deadLettered: 4 } });
    expect((await world.deadLetters()).length - lettersBefore).toBe(4);
    for (const id of orders) {
      expect(await world.shipments(id)).toEqual(['dispatched', 'dispatched']);
      const told = (await world.told(id)).filter(({ type }) => type === 'Dispatched' || type === 'ShipmentDispatched');
      expect(told).toHaveLength(2);
    }
  });
});
