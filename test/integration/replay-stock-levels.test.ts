import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readPrices } from '../../orders/money/price-list.ts';
import { applyLevels, readStock } from '../../orders/stock/stock-levels.ts';
import { contentsOf } from '../helpers/contents.ts';
import { createIngestWorld } from '../helpers/ingest-world.ts';
import type { IngestWorld } from '../helpers/ingest-world.ts';
import { plan, run, runUntilKilled } from '../helpers/replays.ts';
import { openStockTopic, stockLevel } from '../helpers/stock-topic.ts';
import type { StockTopic } from '../helpers/stock-topic.ts';

let world: IngestWorld;
let topic: StockTopic;
beforeAll(async () => {
  world = await createIngestWorld();
  topic = await openStockTopic(world);
});
afterAll(async () => {
  await topic.close();
  await world.drop();
});

const from = { from: 'stock-levels' };

/** All that levels may change. */
const TABLES = ['stock', 'prices', 'price_list', 'price_levels', 'price_history', 'dead_letters'];
const state = (): Promise<string> => contentsOf(world.db, TABLES);

describe('a topic of stock levels of every kind', () => {
  const EXPECTED = { new: 5, known: 2, superseded: 2, poison: 1 };

  beforeAll(async () => {
    const counted = { countedAt: Date.UTC(2026, 0, 1) };
    await applyLevels(world.db, [{ sku: 'pot', warehouse: 'east', onHand: 3, version: 5, ...counted }]);
    const priced = { unitPrice: 255, currency: 'GBP' };
    await topic.produce(
      stockLevel('mug', priced),
      stockLevel('mug', { version: 2, onHand: 12 }),
      stockLevel('mug', { version: 2, onHand: 12 }),
      stockLevel('mug'),
      stockLevel('mug', { warehouse: 'west' }),
      stockLevel('pot', { version: 5, onHand: 3 }),
      stockLevel('pot', { version: 4 }),
      // Its level is known, its price is not.
      stockLevel('pot', { version: 5, onHand: 3, ...priced }),
      stockLevel('cup', { version: 0, onHand: 0 }),
      { key: 'cup', value: Buffer.from('not Avro') },
    );
  });

  it('is planned and validated without being touched', async () => {
    const before = await state();
    const { replayId, planned } = await plan(world.environment, { mode: 'validate', options: from });
    expect(planned?.tallies).toEqual(EXPECTED);
    expect(planned?.samples.superseded?.map(({ eventId }) => eventId)).toEqual([
      'mug in east, version 1',
      'pot in east, version 4',
    ]);
    expect(await run(world.environment, replayId)).toMatchObject({ tallies: EXPECTED, effects: {} });
    expect(await state()).toBe(before);
  });

  it('is cut by SKU', async () => {
    const { planned } = await plan(world.environment, { options: { ...from, keys: ['pot'] } });
    expect(planned?.tallies).toEqual({ new: 1, known: 1, superseded: 1, filtered: 7 });
  });

  it('is run: the newest of each SKU and warehouse holds, and a second run has no effect', async () => {
    const { replayId } = await plan(world.environment, { options: from });
    const result = await run(world.environment, replayId);
    expect(result).toMatchObject({ tallies: EXPECTED, effects: { takenIn: 5, deadLettered: 1 } });
    const stock = (await readStock(world.db, [], 10)).map(({ sku, warehouse, onHand, levelVersion }) =>
      [sku, warehouse, onHand, levelVersion].join(' '),
    );
    expect(stock).toEqual(['cup east 0 0', 'mug east 12 2', 'mug west 10 1', 'pot east 3 5']);
    expect((await readPrices(world.db, ['mug', 'pot'])).map(({ unitPrice }) => unitPrice)).toEqual([255, 255]);

    const before = await state();
    const second = await plan(world.environment, { options: from });
    expect(second.planned?.tallies).toEqual({ known: 6, superseded: 3, poison: 1 });
    expect((await run(world.environment, second.replayId)).effects).toEqual({});
    expect(await state()).toBe(before);
    expect(await world.deadLetters()).toHaveLength(1);
  });
});

describe('a run that is killed', () => {
  it('goes on where it stood, and comes to the totals of its plan', async () => {
    const skus = Array.from({ length: 10 }, (_, i) => `kill-${i}`);
    await topic.produce(
      ...skus.flatMap((sku, i) => [
        stockLevel(sku, { onHand: i }),
        stockLevel(sku, { onHand: 100 + i, version: 2 }),
        { key: sku, value: Buffer.from(`bad ${i}`) },
      ]),
    );
    const { replayId, planned } = await plan(world.environment, { options: { ...from, keys: skus, rate: 14 } });
    expect(planned?.tallies).toMatchObject({ new: 20, poison: 10 });
    for (const step of ['finished', 'deadLettersMarked'] as const)
      expect(await runUntilKilled(world, replayId, step)).toMatchObject({ end: 'SIGKILL' });
    const { tallies, effects } = await run(world.environment, replayId);
    expect({ tallies, effects }).toEqual({ tallies: planned?.tallies, effects: { takenIn: 20, deadLettered: 10 } });
    expect((await readStock(world.db, skus, 10)).map(({ onHand }) => onHand)).toEqual(skus.map((_, i) => 100 + i));
    expect(await world.deadLetters()).toHaveLength(11);
  });
});
