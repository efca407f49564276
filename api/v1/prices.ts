import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { readTextCursor, writeTextCursor } from '../../database/read/cursor.ts';
import { OmsError } from '../../domain/errors.ts';
import { MAX_ORDER_VALUE } from '../../orders/intake/validate.ts';
import { listPrices, setPrice } from '../../orders/money/price-list.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { currency, knownCurrency, minorUnits, next, paging, placeOf, problems, sku, typed } from './atoms.ts';

const price = z
  .object({
    sku: z.string(),
    currency: z.string(),
    unitPrice: minorUnits,
    listVersion: z.int().describe('Of the price list that brought this price.'),
  })
  .meta({ id: 'Price' });

const pricePage = z.object({ items: z.array(price), next }).meta({ id: 'PricePage' });

const priceRequest = z
  .object({
    unitPrice: z
      .int('must be a whole number')
      .min(0, 'must be 0 or more')
      .max(MAX_ORDER_VALUE, 'must be at most 10^15')
      .describe('Of one piece, minor units. It holds until upstream sends its next.'),
  })
  .strict()
  .meta({ id: 'NewPrice' });

const ofPrice = z.object({ sku, currency: knownCurrency });

const query = z.object({ sku: sku.optional(), currency: currency.optional(), ...paging }).strict();

/** The price list: look, and set a price by hand. */
export function registerPrices(app: FastifyInstance, { db }: ApiDependencies): void {
  typed(app).get(
    '/prices',
    {
      schema: {
        operationId: 'listPrices',
        summary: 'Prices in force, by SKU and currency.',
        tags: ['prices'],
        querystring: query,
        response: { 200: pricePage, ...problems() },
      },
    },
    async ({ query: given }) => {
      const { items, next } = await listPrices(db, given, placeOf(given, readTextCursor));
      return { items, next: next && writeTextCursor(next) };
    },
  );
  typed(app).get(
    '/prices/:sku/:currency',
    {
      schema: {
        operationId: 'getPrice',
        summary: 'The price of a SKU in a currency.',
        tags: ['prices'],
        params: ofPrice,
        response: { 200: price, ...problems(404) },
      },
    },
    async ({ params }) => priceOf(db, params),
  );
  typed(app).put(
    '/prices/:sku/:currency',
    {
      schema: {
        operationId: 'setPrice',
        summary: 'Set the price of a SKU in a currency; a changed price is a new version of the price list.',
        tags: ['prices'],
        params: ofPrice,
        body: priceRequest,
        response: { 200: price, ...problems(413, 415) },
      },
    },
    async ({ params, body }) => {
      await setPrice(db, { ...params, ...body });
      return priceOf(db, params);
    },
  );
}

/** @throws OmsError OMS_PRICE_UNKNOWN */
async function priceOf(db: ApiDependencies['db'], { sku, currency }: z.output<typeof ofPrice>) {
  const [found] = (await listPrices(db, { sku, currency }, { limit: 1 })).items;
  if (found) return found;
  throw new OmsError('OMS_PRICE_UNKNOWN', `no price of ${sku} in ${currency}`);
}
