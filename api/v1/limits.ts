import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { NO_LIMIT } from '../../domain/money.ts';
import { isMaintenance, readDefaultLimits, setDefaultLimit, setMaintenance } from '../../orders/money/spend.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { customerId, knownCurrency, minorUnits, problems } from './atoms.ts';
import { typed } from './routes.ts';

const NONE = 'none';
export const limitBody = z
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

export const spending = z
  .object({
    currency: z.string(),
    spent: minorUnits.describe('Charged, less what was credited.'),
    limit: limitOut.nullable().describe("The customer's own; null = the default of the currency holds."),
    effectiveLimit: z.int().nullable().describe('What holds; null = nothing is too much.'),
  })
  .meta({ id: 'Spending' });

export const customerSpend = z
  .object({ customerId: z.string(), currencies: z.array(spending) })
  .meta({ id: 'CustomerSpend' });

const maintenance = z
  .object({
    on: z.boolean('must be true or false').describe('True: payments are held, and orders wait for it to end.'),
  })
  .strict()
  .meta({ id: 'Maintenance' });

export const ofCustomer = z.object({ id: customerId });
export const ofCurrency = z.object({ currency: knownCurrency });
export const noContent = z.undefined().describe('Done.');

/** A limit as it is shown, and as it is stored. */
export const shownLimit = (limit: number): number | typeof NONE => (limit === NO_LIMIT ? NONE : limit);
export const storedLimit = (limit: number | typeof NONE): number => (limit === NONE ? NO_LIMIT : limit);

/** The default limits, and whether payments are held. */
export function registerLimits(app: FastifyInstance, deps: ApiDependencies): void {
  registerDefaults(app, deps);
  registerMaintenance(app, deps);
}

function registerDefaults(app: FastifyInstance, { db }: ApiDependencies): void {
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

function registerMaintenance(app: FastifyInstance, { db }: ApiDependencies): void {
  typed(app).get(
    '/maintenance',
    {
      schema: {
        operationId: 'getMaintenance',
        summary: 'Whether payments are held.',
        tags: ['limits'],
        response: { 200: maintenance, ...problems() },
      },
    },
    async () => ({ on: await isMaintenance(db) }),
  );
  typed(app).put(
    '/maintenance',
    {
      schema: {
        operationId: 'setMaintenance',
        summary: 'Hold payments, or let them go on.',
        tags: ['limits'],
        body: maintenance,
        response: { 200: maintenance, ...problems(413, 415) },
      },
    },
    async ({ body: { on } }) => {
      await setMaintenance(db, on);
      return { on };
    },
  );
}
