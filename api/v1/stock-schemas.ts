import { z } from 'zod';
import { MAX_PIECES, MAX_WAREHOUSE_CHARACTERS } from '../../orders/intake/levels.ts';
import { MAX_ORDER_VALUE } from '../../orders/intake/validate.ts';
import { identifier, knownCurrency, minorUnits, next, sku } from './atoms.ts';

export const warehouse = identifier(MAX_WAREHOUSE_CHARACTERS).describe('Where it lies.');

export const stockLevel = z
  .object({
    sku: z.string(),
    warehouse: z.string(),
    onHand: z.int().describe('Pieces that are there, those promised to orders included.'),
    reserved: z.int().describe('Promised to orders.'),
    free: z.int().describe('What new orders can still be promised.'),
    shortage: z.int().describe('Promised to orders, and not there.'),
    levelVersion: z.int().nullable().describe('Of the newest level from upstream; null before the first.'),
  })
  .meta({ id: 'StockLevel' });

export const stockPage = z.object({ items: z.array(stockLevel), next }).meta({ id: 'StockPage' });

const pieces = z.int('must be a whole number').min(0, 'must be 0 or more').max(MAX_PIECES, 'must be at most 10^12');
const levelVersion = z.int('must be a whole number').min(0, 'must be 0 or more').max(Number.MAX_SAFE_INTEGER);

export const levelRequest = z
  .object({
    onHand: pieces.describe('Pieces that are there, those promised to orders included.'),
    version: levelVersion
      .optional()
      .describe(
        "With one it is upstream's: only a version higher than all before counts. Without, it is counted by hand and holds until upstream sends its next.",
      ),
  })
  .strict()
  .meta({ id: 'NewStockLevel' });

export const setLevel = stockLevel
  .extend({ applied: z.boolean().describe('False when the version was known, or older: nothing has changed.') })
  .meta({ id: 'SetStockLevel' });

export const takenIn = z
  .object({
    levels: z.int().describe('Lines that were read.'),
    applied: z.int().describe('Levels that were the newest of their SKU and warehouse.'),
    prices: z.int().describe('Prices that have changed.'),
    shortages: z.array(stockLevel).describe('Where less is there now than orders were promised.'),
  })
  .meta({ id: 'TakenInLevels' });

export const price = z
  .object({
    sku: z.string(),
    currency: z.string(),
    unitPrice: minorUnits,
    listVersion: z.int().describe('Of the price list that brought this price.'),
  })
  .meta({ id: 'Price' });

export const pricePage = z.object({ items: z.array(price), next }).meta({ id: 'PricePage' });

export const priceRequest = z
  .object({
    unitPrice: z
      .int('must be a whole number')
      .min(0, 'must be 0 or more')
      .max(MAX_ORDER_VALUE, 'must be at most 10^15')
      .describe('Of one piece, minor units. It holds until upstream sends its next.'),
  })
  .strict()
  .meta({ id: 'NewPrice' });

export const ofLevel = z.object({ sku, warehouse });
export const ofPrice = z.object({ sku, currency: knownCurrency });
