import { minorUnits } from '../../domain/money.ts';
import type { PriceLevel } from '../../orders/money/price-list.ts';
import type { StockLevel } from '../../orders/stock/stock-levels.ts';
import type { RetailRow } from './retail-order.ts';

/** The warehouses a seed fills. */
export const WAREHOUSES = ['east', 'north', 'west'] as const;

export interface SeedPlan {
  levels: StockLevel[];
  prices: PriceLevel[];
  /** SKUs of the file that get no stock at all: they are not in stock for any order. */
  unstocked: string[];
}

/** Of 1,000 SKUs so many get no stock, and so many only a few pieces. */
const UNSTOCKED = 3;
const SCARCE = 12;

/**
 * Stock and prices for the SKUs of a file. Where a SKU lies and how much of it follows from its name alone: the same
 * SKU always gets the same. Each lies in two or three warehouses, so that orders split; a few are scarce or missing, so
 * that orders wait for their customer. The price is the one most rows of the file have.
 */
export function seedPlan(rows: readonly RetailRow[], currency = 'GBP'): SeedPlan {
  const plan: SeedPlan = { levels: [], prices: [], unstocked: [] };
  for (const [sku, prices] of pricesBySku(rows)) {
    const levels = levelsOf(sku);
    plan.levels.push(...levels);
    if (levels.length === 0) plan.unstocked.push(sku);
    const unitPrice = mostFrequent(prices);
    if (unitPrice !== undefined) plan.prices.push({ sku, currency, unitPrice });
  }
  return plan;
}

function pricesBySku(rows: readonly RetailRow[]): Map<string, number[]> {
  const bySku = new Map<string, number[]>();
  for (const { StockCode: sku, UnitPrice } of rows) {
    if (sku === '') continue;
    const prices = bySku.get(sku) ?? [];
    const price = minorUnits(UnitPrice);
    if (price !== undefined && price > 0) prices.push(price);
    bySku.set(sku, prices);
  }
  return bySku;
}

function levelsOf(sku: string): StockLevel[] {
  const hash = hashOf(sku);
  const lot = hash % 1_000;
  // Codes without a digit in front are services (postage, fees): never short.
  const isService = !/^\d/.test(sku);
  if (!isService && lot < UNSTOCKED) return [];
  const missing = (hash >>> 10) % 6; // 0-2: the warehouse that has none; 3-5: all three have some
  const base = isService ? 1_000_000 : lot < UNSTOCKED + SCARCE ? 4 : 3_000;
  return WAREHOUSES.filter((_, i) => i !== missing).map((warehouse, i) => ({
    sku,
    warehouse,
    onHand: base + (((hash >>> (13 + 4 * i)) & 0xf) * base) / 4,
  }));
}

function mostFrequent(values: readonly number[]): number | undefined {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].toSorted(([a, n], [b, m]) => m - n || a - b)[0]?.[0];
}

/** FNV-1a, 32 bits, mixed once more so that near names lie apart. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}
