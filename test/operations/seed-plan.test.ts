import { describe, expect, it } from '@jest/globals';
import { rowsOf } from '../../operations/import/retail-order.ts';
import type { RetailRow } from '../../operations/import/retail-order.ts';
import { WAREHOUSES, seedPlan } from '../../operations/import/seed-plan.ts';
import { RETAIL_FILE } from '../helpers/retail-file.ts';

const rows: RetailRow[] = [];
for await (const row of rowsOf(RETAIL_FILE)) rows.push(row);
const plan = seedPlan(rows);
const bySku = Map.groupBy(plan.levels, ({ sku }) => sku);

describe('the stock of a file', () => {
  it('covers every SKU but a few', () => {
    const skus = new Set(rows.map(({ StockCode }) => StockCode));
    expect(bySku.size + plan.unstocked.length).toBe(skus.size);
    expect(plan.unstocked.length).toBeGreaterThan(0);
    expect(plan.unstocked.length).toBeLessThan(skus.size / 100);
  });

  it('puts each SKU into two or three warehouses, so that orders split', () => {
    const counts = new Set([...bySku.values()].map((levels) => levels.length));
    expect(counts).toEqual(new Set([2, 3]));
    for (const warehouse of WAREHOUSES) expect(plan.levels.some((level) => level.warehouse === warehouse)).toBe(true);
  });

  it('is scarce for some SKUs, so that they run out, and never for services', () => {
    const totals = [...bySku].map(
      ([sku, levels]) => [sku, levels.reduce((sum, { onHand }) => sum + onHand, 0)] as const,
    );
    expect(totals.filter(([, total]) => total < 100).length).toBeGreaterThan(5);
    for (const [sku, total] of totals) if (!/^\d/.test(sku)) expect(total).toBeGreaterThan(1_000_000);
  });

  it('follows from the name of a SKU alone', () => {
    const [one] = rows;
    if (!one) throw new Error('empty file');
    expect(seedPlan([{ ...one, Quantity: '999' }]).levels).toEqual(bySku.get(one.StockCode));
  });

  it('has the price most rows have, in pence, and none where no row has one', () => {
    expect(plan.prices.find(({ sku }) => sku === '85123A')).toEqual({ sku: '85123A', currency: 'GBP', unitPrice: 295 });
    const [one] = rows;
    if (!one) throw new Error('empty file');
    expect(seedPlan([{ ...one, UnitPrice: '0.0' }]).prices).toEqual([]);
    expect(plan.prices.every(({ unitPrice }) => unitPrice > 0)).toBe(true);
  });
});
