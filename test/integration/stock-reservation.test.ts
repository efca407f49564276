import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fewestShipments } from '../../domain/allocation.ts';
import { beginCancel } from '../../orders/steps/cancel.ts';
import { takeOrder } from '../../orders/steps/take.ts';
import { createOrderWorld } from '../helpers/order-world.ts';
import type { OrderWorld } from '../helpers/order-world.ts';

let world: OrderWorld;
beforeAll(async () => {
  world = await createOrderWorld();
});
afterAll(() => world.drop());

const take = (orderId: string, runId = 'run-1') => takeOrder({ ...world, strategy: fewestShipments }, orderId, runId);
const cancelAll = (orderId: string) =>
  beginCancel(world, orderId, { fulfillmentId: null, cause: 'test', reason: 'test' });

describe('Taking an order', () => {
  it('reserves its pieces and splits it by warehouse, what is unavailable first', async () => {
    await world.stock([
      { warehouse: 'east', sku: 'take-a', onHand: 5 },
      { warehouse: 'west', sku: 'take-b', onHand: 5 },
    ]);
    await world.place('take-1', [{ sku: 'take-a', quantity: 2 }, { sku: 'nowhere' }, { sku: 'take-b' }]);
    expect(await take('take-1')).toMatchObject({
      status: 'customerActionRequired',
      fulfillments: [
        { id: 'take-1:1', status: 'unavailable' },
        { id: 'take-1:2', status: 'pending' },
        { id: 'take-1:3', status: 'pending' },
      ],
    });
    expect(await world.stockOf('take-a')).toEqual({ east: { onHand: 5, reserved: 2 } });
    const [status, ...others] = await world.told('take-1');
    expect(status).toMatchObject({
      topic: 'order-status',
      version: 1,
      cause: 'take-1-placed',
      status: 'customerActionRequired',
    });
    expect(others).toEqual([]);
  });

  it('twice by the same run is once: same answer, nothing reserved or told again', async () => {
    await world.stock([{ warehouse: 'east', sku: 'repeat', onHand: 5 }]);
    await world.place('repeat-1', [{ sku: 'repeat', quantity: 2 }]);
    const first = await take('repeat-1');
    expect(await take('repeat-1')).toEqual(first);
    expect(await world.stockOf('repeat')).toEqual({ east: { onHand: 5, reserved: 2 } });
    expect(await world.told('repeat-1')).toHaveLength(1);
  });

  it('by several attempts of one run at the same time is still once', async () => {
    await world.stock([{ warehouse: 'east', sku: 'twins', onHand: 50 }]);
    await world.place('twins-1', [{ sku: 'twins', quantity: 2 }]);
    const answers = await Promise.all(Array.from({ length: 8 }, () => take('twins-1')));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(await world.stockOf('twins')).toEqual({ east: { onHand: 50, reserved: 2 } });
  });

  it('is for one run only: every other one is fenced and has no effect', async () => {
    await world.stock([{ warehouse: 'east', sku: 'fence', onHand: 50 }]);
    await world.place('fence-1', [{ sku: 'fence', quantity: 2 }]);
    const answers = await Promise.all(Array.from({ length: 6 }, (_, i) => take('fence-1', `run-${i}`)));
    expect(answers.filter((answer) => answer === 'fenced')).toHaveLength(5);
    expect(await world.stockOf('fence')).toEqual({ east: { onHand: 50, reserved: 2 } });
    expect(await world.told('fence-1')).toHaveLength(1);
  });

  it('of an id the ledger does not have is fenced, too', async () => {
    expect(await take('never-placed')).toBe('fenced');
  });

  it('works for the longest orders', async () => {
    const skus = Array.from({ length: 1_114 }, (_, i) => `long-${i}`);
    await world.stock(skus.flatMap((sku, i) => [{ warehouse: i % 2 ? 'east' : 'west', sku, onHand: 10 }]));
    await world.place(
      'long-1',
      skus.map((sku) => ({ sku, quantity: 3 })),
    );
    expect(await take('long-1')).toMatchObject({ fulfillments: [{ status: 'pending' }, { status: 'pending' }] });
    const { rows } = {
      rows: await world.db.selectFrom('stock').select('reserved').where('sku', 'like', 'long-%').execute(),
    };
    expect(rows.every(({ reserved }) => reserved === 3)).toBe(true);
  });

  it('never promises a piece twice, whatever many clients take and give up at once', async () => {
    let round = 0;
    const orders = fc.array(
      fc.record({
        lines: fc.array(fc.record({ sku: fc.nat(3), quantity: fc.integer({ min: 1, max: 4 }) }), {
          minLength: 1,
          maxLength: 4,
        }),
        isGivenUp: fc.boolean(),
      }),
      { minLength: 1, maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(8), { minLength: 8, maxLength: 8 }), orders, async (onHand, wanted) => {
        const name = `p${++round}`;
        const rows = onHand.map((pieces, i) => ({
          warehouse: i % 2 ? 'east' : 'west',
          sku: `${name}-${i >> 1}`,
          onHand: pieces,
        }));
        await world.stock(rows);
        const jobs = wanted.map(async ({ lines, isGivenUp }, i) => {
          const id = `${name}-order-${i}`;
          await world.place(
            id,
            lines.map(({ sku, quantity }) => ({ sku: `${name}-${sku}`, quantity })),
          );
          await Promise.all([take(id), take(id)]);
          if (isGivenUp) await Promise.all([cancelAll(id), cancelAll(id)]);
        });
        await Promise.all(jobs);
        expect(await promised(name)).toEqual(await reserved(name));
      }),
      { numRuns: 15 },
    );
  });
});

/** Pieces in fulfillments that are still to be shipped, by warehouse and SKU. */
async function promised(name: string): Promise<Record<string, number>> {
  const rows = await world.db
    .selectFrom('fulfillment_items as i')
    .innerJoin('fulfillments as f', 'f.fulfillment_id', 'i.fulfillment_id')
    .where('f.order_id', 'like', `${name}-order-%`)
    .where('f.status', '=', 'pending')
    .select(({ fn }) => ['f.warehouse', 'i.sku', fn.sum<number>('i.quantity').as('pieces')])
    .groupBy(['f.warehouse', 'i.sku'])
    .execute();
  return Object.fromEntries(rows.map((row) => [`${row.warehouse ?? ''}/${row.sku}`, Number(row.pieces)]));
}

/** What the stock says is promised; that it never exceeds what is on hand is a constraint of the table. */
async function reserved(name: string): Promise<Record<string, number>> {
  const rows = await world.db.selectFrom('stock').selectAll().where('sku', 'like', `${name}-%`).execute();
  const taken = rows.filter((row) => row.reserved > 0);
  return Object.fromEntries(taken.map((row) => [`${row.warehouse}/${row.sku}`, row.reserved]));
}
