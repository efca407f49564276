import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Database } from '../../database/database.ts';
import {
  addPrices,
  applySentPrices,
  priceListVersion,
  readPriceList,
  readPrices,
  setPrice,
} from '../../orders/money/price-list.ts';
import type { SentPrice } from '../../orders/money/price-list.ts';
import { createTestDatabase } from '../helpers/database.ts';

let db: Database;
let drop: () => Promise<void>;
beforeAll(async () => {
  ({ db, drop } = await createTestDatabase());
});
afterAll(() => drop());

const sent = (sku: string, version: number, unitPrice: number, more: Partial<SentPrice> = {}): SentPrice => ({
  ...{ sku, version, unitPrice, currency: 'GBP', warehouse: 'east', countedAt: 1_000 * version },
  ...more,
});
const priceOf = async (sku: string, currency = 'GBP') => (await readPriceList(db, currency, [sku])).prices.get(sku);

/** What a version of the price list said, from the history alone. */
async function priceAt(sku: string, version: number): Promise<number | undefined> {
  const row = await db
    .selectFrom('price_history')
    .select('unit_price')
    .where('sku', '=', sku)
    .where('list_version', '<=', version)
    .orderBy('list_version', 'desc')
    .executeTakeFirst();
  return row?.unit_price;
}

describe('The price list', () => {
  it('has the next version with each change, and none without one', async () => {
    const start = await priceListVersion(db);
    await setPrice(db, { sku: 'step', currency: 'GBP', unitPrice: 100 });
    await setPrice(db, { sku: 'step', currency: 'GBP', unitPrice: 100 });
    expect(await priceListVersion(db)).toBe(start + 1);
    await applySentPrices(db, [sent('step', 1, 100)]);
    expect(await priceListVersion(db)).toBe(start + 1);
    expect(await applySentPrices(db, [sent('step', 2, 110), sent('step-2', 1, 5)])).toBe(2);
    expect(await readPriceList(db, 'GBP', ['step', 'step-2', 'nowhere'])).toEqual({
      version: start + 2,
      prices: new Map([
        ['step', 110],
        ['step-2', 5],
      ]),
    });
    expect(await readPrices(db, ['step'])).toEqual([
      { sku: 'step', currency: 'GBP', unitPrice: 110, listVersion: start + 2 },
    ]);
  });

  it('tells for ever what each of its versions said', async () => {
    const versions: [number, number][] = [];
    for (const unitPrice of [10, 20, 15]) {
      await setPrice(db, { sku: 'history', currency: 'GBP', unitPrice });
      versions.push([await priceListVersion(db), unitPrice]);
    }
    await setPrice(db, { sku: 'other', currency: 'GBP', unitPrice: 1 });
    for (const [version, unitPrice] of versions) expect(await priceAt('history', version)).toBe(unitPrice);
  });

  it('keeps the prices of a SKU in several currencies apart', async () => {
    await applySentPrices(db, [sent('both', 2, 300), sent('both', 1, 350, { currency: 'EUR' })]);
    expect([await priceOf('both'), await priceOf('both', 'EUR'), await priceOf('both', 'USD')]).toEqual([
      300,
      350,
      undefined,
    ]);
  });

  it('gives a seed no power over a price that is there', async () => {
    await applySentPrices(db, [sent('seeded', 1, 70)]);
    expect(await addPrices(db, [{ sku: 'seeded', currency: 'GBP', unitPrice: 1 }])).toBe(0);
    expect(await priceOf('seeded')).toBe(70);
  });

  it('holds a price set by hand against replays, until upstream sends its next', async () => {
    await applySentPrices(db, [sent('hand', 1, 70)]);
    await setPrice(db, { sku: 'hand', currency: 'GBP', unitPrice: 60 });
    await applySentPrices(db, [sent('hand', 1, 70)]);
    expect(await priceOf('hand')).toBe(60);
    await applySentPrices(db, [sent('hand', 2, 80)]);
    expect(await priceOf('hand')).toBe(80);
  });

  it('comes to the same prices whatever the order, the repeats and the clients prices arrive by', async () => {
    let round = 0;
    const level = fc.record({
      warehouse: fc.constantFrom('east', 'west', 'north'),
      version: fc.nat(4),
      countedAt: fc.nat(3),
    });
    // A version of a warehouse says one thing: that is what a version is.
    const levels = fc.uniqueArray(level, { selector: (one) => `${one.warehouse}/${one.version}`, minLength: 1 });
    const arrivals = levels.chain((all) =>
      fc
        .array(fc.array(fc.constantFrom(...all), { minLength: 1, maxLength: 4 }), { maxLength: 5 })
        .chain((parts) =>
          fc.shuffledSubarray(all, { minLength: all.length }).map((rest) => ({ all, parts: [...parts, rest] })),
        ),
    );
    await fc.assert(
      fc.asyncProperty(arrivals, async ({ all, parts }) => {
        const sku = `any-${++round}`;
        const price = (one: (typeof all)[number]): SentPrice =>
          sent(sku, one.version, 10 * one.version + one.warehouse.length, one);
        await Promise.all(parts.map((part) => applySentPrices(db, part.map(price))));
        const newest = [...Map.groupBy(all, (one) => one.warehouse).values()].map((some) =>
          some.reduce((a, b) => (a.version > b.version ? a : b)),
        );
        const [last] = newest.sort((a, b) => b.countedAt - a.countedAt || (a.warehouse < b.warehouse ? -1 : 1));
        expect(await priceOf(sku)).toBe(last && price(last).unitPrice);
        expect(await priceAt(sku, await priceListVersion(db))).toBe(await priceOf(sku));
      }),
      { numRuns: 60 },
    );
  });
});
