import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sql } from 'kysely';
import { fewestShipments } from '../../domain/allocation.ts';
import { orderStep } from '../../orders/record/step.ts';
import { beginCancel } from '../../orders/steps/cancel.ts';
import { takeOrder } from '../../orders/steps/take.ts';
import { applyLevels, countShortages, readStock, setStock } from '../../orders/stock/stock-levels.ts';
import type { HeldStock, SentLevel } from '../../orders/stock/stock-levels.ts';
import { createOrderWorld } from '../helpers/order-world.ts';
import type { OrderWorld } from '../helpers/order-world.ts';

let world: OrderWorld;
beforeAll(async () => {
  world = await createOrderWorld();
});
afterAll(() => world.drop());

const sent = (sku: string, version: number, onHand: number, warehouse = 'east'): SentLevel => ({
  ...{ sku, warehouse, version, onHand },
  countedAt: Date.UTC(2026, 0, 1, 0, 0, version),
});
const level = async (...levels: SentLevel[]) => (await applyLevels(world.db, levels)).applied.size;
const take = (orderId: string) => takeOrder({ ...world, strategy: fewestShipments }, orderId, 'run-1');
const giveUp = (orderId: string) => beginCancel(world, orderId, { fulfillmentId: null, cause: 'test', reason: 'test' });

async function order(orderId: string, sku: string, quantity: number): Promise<void> {
  await world.place(orderId, [{ sku, quantity }]);
  await take(orderId);
}

/** As its carrier's news of the pick-up does. */
const dispatch = (orderId: string) =>
  orderStep(world, orderId, 'test', (step) => {
    for (const f of step.order.fulfillments) {
      if (f.status !== 'pending') continue;
      step.moveStock({ kind: 'commit', fulfillment: f });
      Object.assign(f, { status: 'completed' });
    }
  });

/** As the carrier's news of a return does. */
const comeBack = (orderId: string) =>
  orderStep(world, orderId, 'test', (step) => {
    for (const f of step.order.fulfillments) {
      if (f.status !== 'completed' || f.reason !== null) continue;
      step.moveStock({ kind: 'return', fulfillment: f });
      Object.assign(f, { reason: 'came back' });
    }
  });

async function held(sku: string, warehouse = 'east'): Promise<HeldStock | undefined> {
  return (await readStock(world.db, [sku], 100)).find((one) => one.warehouse === warehouse);
}

describe('A stock level from upstream', () => {
  it('is the number of pieces that are there, whatever was known before', async () => {
    await level(sent('abs', 1, 10));
    await order('abs-1', 'abs', 3);
    await level(sent('abs', 2, 8));
    expect(await held('abs')).toEqual({
      ...{ sku: 'abs', warehouse: 'east', onHand: 8, reserved: 3 },
      ...{ shortage: 0, levelVersion: 2 },
    });
  });

  it('changes nothing when its version is known or older, however often it comes', async () => {
    expect(await level(sent('old', 5, 10))).toBe(1);
    expect(await level(sent('old', 5, 99))).toBe(0);
    expect(await level(sent('old', 4, 99), sent('old', 5, 99))).toBe(0);
    expect(await held('old')).toMatchObject({ onHand: 10, levelVersion: 5 });
  });

  it('is no move of orders, and they are none of its versions', async () => {
    await level(sent('own', 1, 10));
    for (const n of [1, 2, 3]) await order(`own-${n}`, 'own', 1);
    expect(await held('own')).toMatchObject({ levelVersion: 1, reserved: 3 });
    expect(await level(sent('own', 2, 20))).toBe(1);
  });

  it('of several in one go is the newest that counts, for each SKU and warehouse', async () => {
    const { applied } = await applyLevels(world.db, [
      sent('many', 2, 20),
      sent('many', 3, 30),
      sent('many', 1, 10),
      sent('many', 7, 70, 'west'),
    ]);
    expect([...applied].map(({ onHand }) => onHand)).toEqual([30, 70]);
    expect(await held('many', 'west')).toMatchObject({ onHand: 70, levelVersion: 7 });
  });

  it('may follow on stock that was entered by hand or as seed', async () => {
    await world.stock([{ warehouse: 'east', sku: 'seeded', onHand: 100 }]);
    expect(await held('seeded')).toMatchObject({ levelVersion: null });
    expect(await level(sent('seeded', 0, 4))).toBe(1);
    expect(await held('seeded')).toMatchObject({ onHand: 4, levelVersion: 0 });
  });
});

describe('A level below what orders were promised', () => {
  it('takes nothing from them: what is missing is the shortage, and nothing is free', async () => {
    await level(sent('short', 1, 10));
    await order('short-1', 'short', 6);
    const { short } = await applyLevels(world.db, [sent('short', 2, 4)]);
    const expected = { sku: 'short', onHand: 4, reserved: 6, shortage: 2 };
    expect(short).toMatchObject([expected]);
    expect(await held('short')).toMatchObject(expected);
    await world.place('short-2', [{ sku: 'short' }]);
    expect(await take('short-2')).toMatchObject({ status: 'customerActionRequired' });
  });

  it('is made good by the next level', async () => {
    await level(sent('mended', 1, 10));
    await order('mended-1', 'mended', 6);
    await level(sent('mended', 2, 0));
    expect((await countShortages(world.db)).pieces).toBeGreaterThanOrEqual(6);
    await level(sent('mended', 3, 9));
    expect(await held('mended')).toMatchObject({ onHand: 9, reserved: 6, shortage: 0 });
  });

  it('lets no released piece be promised again before it is there', async () => {
    await level(sent('given', 1, 10));
    await order('given-1', 'given', 3);
    await order('given-2', 'given', 4);
    await level(sent('given', 2, 5));
    await giveUp('given-1');
    expect(await held('given')).toMatchObject({ onHand: 5, reserved: 4, shortage: 0 });
    await giveUp('given-2');
    expect(await held('given')).toMatchObject({ onHand: 5, reserved: 0, shortage: 0 });
  });

  it('is lessened by pieces that come back, before any of them is free', async () => {
    await level(sent('back', 1, 10));
    await order('back-1', 'back', 4);
    await dispatch('back-1');
    await order('back-2', 'back', 6);
    await level(sent('back', 2, 3));
    await comeBack('back-1');
    expect(await held('back')).toMatchObject({ onHand: 7, reserved: 6, shortage: 0 });
  });

  it('lets what is dispatched leave: pieces that have left were there', async () => {
    await level(sent('left', 1, 10));
    await order('left-1', 'left', 4);
    await order('left-2', 'left', 3);
    await level(sent('left', 2, 3));
    await dispatch('left-1');
    expect(await held('left')).toMatchObject({ onHand: 0, reserved: 3, shortage: 3 });
    await dispatch('left-2');
    expect(await held('left')).toMatchObject({ onHand: 0, reserved: 0, shortage: 0 });
  });
});

describe('A level counted by hand', () => {
  it('holds against replays, until upstream sends its next', async () => {
    await level(sent('hand', 3, 10));
    expect(await setStock(world.db, { sku: 'hand', warehouse: 'east', onHand: 7 })).toMatchObject({ levelVersion: 3 });
    await level(sent('hand', 3, 10));
    expect(await held('hand')).toMatchObject({ onHand: 7 });
    await level(sent('hand', 4, 12));
    expect(await held('hand')).toMatchObject({ onHand: 12 });
  });

  it('may be below what orders were promised, too', async () => {
    await setStock(world.db, { sku: 'found', warehouse: 'east', onHand: 5 });
    await order('found-1', 'found', 5);
    const short = await setStock(world.db, { sku: 'found', warehouse: 'east', onHand: 3 });
    expect(short).toMatchObject({ onHand: 3, reserved: 5, shortage: 2 });
  });
});

/** What can happen to stock; each order is one of a few, and does what it still can. */
type Happening =
  | { kind: 'level'; sku: number; warehouse: string; version: number }
  | { kind: 'take' | 'giveUp' | 'dispatch' | 'comeBack'; order: number };

const ORDER_MOVES = { giveUp, dispatch, comeBack };
const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({
    kind: fc.constant('level' as const),
    sku: fc.nat(1),
    warehouse: fc.constantFrom('east', 'west'),
    version: fc.integer({ min: 1, max: 6 }),
  }),
  fc.record({
    kind: fc.constantFrom('take' as const, 'giveUp' as const, 'dispatch' as const, 'comeBack' as const),
    order: fc.nat(5),
  }),
);
const lines = fc.array(fc.record({ sku: fc.nat(1), quantity: fc.integer({ min: 1, max: 4 }) }), {
  minLength: 1,
  maxLength: 3,
});

describe('Stock, whatever many clients do to it at once', () => {
  it('is never negative, never promised twice, and its newest level wins', async () => {
    let round = 0;
    const scene = fc.record({
      orders: fc.array(lines, { minLength: 6, maxLength: 6 }),
      counts: fc.array(fc.nat(5), { minLength: 24, maxLength: 24 }),
      clients: fc.array(fc.array(happening, { minLength: 3, maxLength: 10 }), { minLength: 2, maxLength: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(scene, async ({ orders, counts, clients }) => {
        const name = `s${++round}`;
        const id = (n: number): string => `${name}-order-${n}`;
        // A version of a level says one thing, so that is where its count comes from.
        const levelOf = ({ sku, warehouse, version }: Happening & { kind: 'level' }): SentLevel =>
          sent(
            `${name}-${sku}`,
            version,
            counts[version * 4 - 1 - sku * 2 - (warehouse === 'east' ? 1 : 0)] ?? 0,
            warehouse,
          );
        for (const [n, items] of orders.entries()) {
          await world.place(
            id(n),
            items.map(({ sku, quantity }) => ({ sku: `${name}-${sku}`, quantity })),
          );
        }
        // Enough for some of the orders, and some of them taken: only what is promised can run short.
        const first = [0, 1].flatMap((sku) => ['east', 'west'].map((place) => sent(`${name}-${sku}`, 0, 6, place)));
        await level(...first);
        for (const n of [0, 1, 2]) await take(id(n));
        const happen = async (one: Happening): Promise<unknown> => {
          if (one.kind === 'level') return level(levelOf(one), levelOf(one));
          if (one.kind === 'take') return take(id(one.order));
          const taken = await world.db
            .selectFrom('orders')
            .select('status')
            .where('order_id', '=', id(one.order))
            .execute();
          if (taken.length === 0) return undefined;
          return ORDER_MOVES[one.kind](id(one.order));
        };
        await Promise.all(
          clients.map(async (some) => {
            for (const one of some) {
              await happen(one);
              await expectSound(name);
            }
          }),
        );
        const levels = clients
          .flat()
          .filter((one) => one.kind === 'level')
          .map(levelOf);
        for (const [, some] of Map.groupBy(levels, ({ sku, warehouse }) => `${sku} ${warehouse}`)) {
          const newest = some.reduce((a, b) => (a.version > b.version ? a : b));
          expect(await held(newest.sku, newest.warehouse)).toMatchObject({ levelVersion: newest.version });
        }
        // Counted again with nobody at work, a level is the truth to the piece.
        const last = levels.map((one) => ({ ...one, version: 99, onHand: one.sku.endsWith('0') ? 2 : 30 }));
        await level(...last);
        await expectSound(name);
        for (const { sku, warehouse, onHand } of last) expect(await held(sku, warehouse)).toMatchObject({ onHand });
      }),
      { numRuns: 40 },
    );
  });
});

/** One moment: reserved is what open fulfillments hold, and no number is below what it may be. */
async function expectSound(name: string): Promise<void> {
  const { rows } = await sql<Record<'on_hand' | 'reserved' | 'shortage' | 'promised', number>>`
    select s.on_hand, s.reserved, s.shortage, coalesce((
      select sum(i.quantity) from fulfillment_items i join fulfillments f on f.fulfillment_id = i.fulfillment_id
      where f.warehouse = s.warehouse and i.sku = s.sku and f.status = 'pending'
    ), 0)::bigint as promised
    from stock s where s.sku like ${`${name}-%`}
  `.execute(world.db);
  for (const { on_hand, reserved, shortage, promised } of rows) {
    expect(reserved).toBe(promised);
    expect(Math.min(on_hand - reserved, reserved - shortage, shortage, on_hand - shortage)).toBeGreaterThanOrEqual(0);
  }
}
