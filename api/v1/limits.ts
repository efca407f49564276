import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { NO_LIMIT } from '../../domain/money.ts';
import { readDefaultLimits, readSpending, setCustomerLimit, setDefaultLimit } from '../../orders/money/spend.ts';
import type { DefaultLimit, Spending } from '../../orders/money/spend.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { customerId, knownCurrency, minorUnits, problems, typed } from './atoms.ts';

const NONE = 'none';
const limitBody = z
  .object({
    limit: z
      .union(
        [
          z
            .int()
            .min(0)
            .max(NO_LIMIT - 1),
          z.literal(NONE),
        ],
        'must be 0 or more whole minor units, or none',
      )
      .describe('Most that may be spent, in minor units; `none` = nothing is too much.'),
  })
  .strict()
  .meta({ id: 'Limit' });

const limitOut = z.union([z.int(), z.literal(NONE)]);

const defaultLimit = z.object({ currency: z.string(), limit: limitOut }).meta({ id: 'DefaultLimit' });

const defaultLimits = z.object({ items: z.array(defaultLimit) }).meta({ id: 'DefaultLimits' });

const spending = z
  .object({
    currency: z.string(),
    spent: minorUnits.describe('Charged, less what was credited.'),
    limit: limitOut.nullable().describe("The customer's own; null = the default of the currency holds."),
    effectiveLimit: z.int().nullable().describe('What holds; null = nothing is too much.'),
  })
  .meta({ id: 'Spending' });

const customerSpend = z.object({ customerId: z.string(), currencies: z.array(spending) }).meta({ id: 'CustomerSpend' });

const ofCustomer = z.object({ id: customerId });
const ofCurrency = z.object({ currency: knownCurrency });
const noContent = z.undefined().describe('Done.');

/** A limit as it is shown, and as it is stored. */
const shownLimit = (limit: number): number | typeof NONE => (limit === NO_LIMIT ? NONE : limit);
const storedLimit = (limit: number | typeof NONE): number => (limit === NONE ? NO_LIMIT : limit);

/** The default limits, by currency. */
export function registerLimits(app: FastifyInstance, { db }: ApiDependencies): void {
  typed(app).get(
    '/limits',
    {
      schema: {
        operationId: 'listLimits',
        summary: 'The default limits, for customers without one of their own.',
        tags: ['limits'],
        response: { 200: defaultLimits, ...problems() },
      },
    },
    async () => {
      const limits = await readDefaultLimits(db);
      return { items: limits.map(({ currency, limit }) => ({ currency, limit: shownLimit(limit) })) };
    },
  );
  typed(app).put(
    '/limits/:currency',
    {
      schema: {
        operationId: 'setLimit',
        summary: 'Set the default limit of a currency. Decisions that were made stay.',
        tags: ['limits'],
        params: ofCurrency,
        body: limitBody,
        response: { 200: defaultLimit, ...problems(413, 415) },
      },
    },
    async ({ params: { currency }, body }) => {
      await setDefaultLimit(db, currency, storedLimit(body.limit));
      return { currency, limit: body.limit };
    },
  );
  typed(app).delete(
    '/limits/:currency',
    {
      schema: {
        operationId: 'clearLimit',
        summary: 'Take the default limit of a currency away: there is none then.',
        tags: ['limits'],
        params: ofCurrency,
        response: { 204: noContent, ...problems() },
      },
    },
    async ({ params: { currency } }, reply) => {
      await setDefaultLimit(db, currency, null);
      return reply.code(204).send();
    },
  );
}

/** More currencies than there are. */
const ALL = 1_000;

/** What customers have spent, and their own limits. */
export function registerCustomers(app: FastifyInstance, deps: ApiDependencies): void {
  registerSpending(app, deps);
  registerCustomerLimit(app, deps);
}

async function spendingOf(db: ApiDependencies['db'], id: string): Promise<z.output<typeof spending>[]> {
  const [own, defaults] = await Promise.all([readSpending(db, id, ALL), readDefaultLimits(db)]);
  const currencies = [...new Set([...own, ...defaults].map(({ currency }) => currency))].sort();
  return currencies.map((currency) => spendingJson(currency, own, defaults));
}

function spendingJson(currency: string, own: readonly Spending[], defaults: readonly DefaultLimit[]) {
  const row = own.find((one) => one.currency === currency);
  const limit = row?.limit ?? null;
  const holds = limit ?? defaults.find((one) => one.currency === currency)?.limit ?? NO_LIMIT;
  const effectiveLimit = holds === NO_LIMIT ? null : holds;
  return { currency, spent: row?.spent ?? 0, limit: limit === null ? null : shownLimit(limit), effectiveLimit };
}

function registerSpending(app: FastifyInstance, { db }: ApiDependencies): void {
  typed(app).get(
    '/customers/:id/spend',
    {
      schema: {
        operationId: 'getSpend',
        summary: 'What a customer has spent and may spend, by currency.',
        description: 'Currencies are never added up. A customer who has bought nothing yet has the default limits.',
        tags: ['limits'],
        params: ofCustomer,
        response: { 200: customerSpend, ...problems() },
      },
    },
    async ({ params: { id } }) => ({ customerId: id, currencies: await spendingOf(db, id) }),
  );
}

function registerCustomerLimit(app: FastifyInstance, { db }: ApiDependencies): void {
  const params = ofCustomer.extend(ofCurrency.shape);
  typed(app).put(
    '/customers/:id/limits/:currency',
    {
      schema: {
        operationId: 'setCustomerLimit',
        summary: "Set a customer's own limit in a currency. What was spent before counts.",
        tags: ['limits'],
        params,
        body: limitBody,
        response: { 200: spending, ...problems(413, 415) },
      },
    },
    async ({ params: { id, currency }, body }) => {
      await setCustomerLimit(db, { customerId: id, currency, limit: storedLimit(body.limit) });
      return spendingJson(currency, await readSpending(db, id, ALL), await readDefaultLimits(db));
    },
  );
  typed(app).delete(
    '/customers/:id/limits/:currency',
    {
      schema: {
        operationId: 'clearCustomerLimit',
        summary: "Take a customer's own limit away: the default of the currency holds again.",
        tags: ['limits'],
        params,
        response: { 204: noContent, ...problems() },
      },
    },
    async ({ params: { id, currency } }, reply) => {
      await setCustomerLimit(db, { customerId: id, currency, limit: null });
      return reply.code(204).send();
    },
  );
}
