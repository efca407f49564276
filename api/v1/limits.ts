import type { FastifyInstance } from 'fastify';
import { isMaintenance, readDefaultLimits, setDefaultLimit, setMaintenance } from '../../orders/money/spend.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { problems } from './atoms.ts';
import {
  defaultLimit,
  defaultLimits,
  limitBody,
  maintenance,
  noContent,
  ofCurrency,
  shownLimit,
  storedLimit,
} from './limit-schemas.ts';
import { typed } from './routes.ts';

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
