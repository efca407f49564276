import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { NO_LIMIT } from '../../domain/money.ts';
import { readDefaultLimits, readSpending, setCustomerLimit } from '../../orders/money/spend.ts';
import type { DefaultLimit, Spending } from '../../orders/money/spend.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { problems } from './atoms.ts';
import {
  customerSpend,
  limitBody,
  noContent,
  ofCurrency,
  ofCustomer,
  shownLimit,
  spending,
  storedLimit,
} from './limits.ts';
import { typed } from './routes.ts';

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
