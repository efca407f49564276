import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { transaction } from '../../database/database.ts';
import type { Database } from '../../database/database.ts';
import { OmsError } from '../../domain/errors.ts';
import { MAX_CUSTOMER_ID_CHARACTERS } from '../../domain/order.ts';
import { identifier, wholeNumber } from '../../domain/rules.ts';
import type { Rule } from '../../domain/rules.ts';
import { MAX_ORDER_VALUE } from '../../orders/intake/validate.ts';
import {
  clearSpending,
  decideSpending,
  isMaintenance,
  readDefaultLimits,
  setDefaultLimit,
  setMaintenance,
} from '../../orders/money/spend.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { keyOf, readBody, sendJson, sendNothing } from './messages.ts';

/** The reference's fraud service: the default limit of the API's currency, maintenance mode, and what customers spend. */
export function registerFraud(app: FastifyInstance, { db, config }: ApiDependencies): void {
  const currency = config.OMS_API_CURRENCY;
  app.get('/settings', async (_request, reply) => sendJson(reply, await readSettings(db, currency)));
  app.post('/limit', async (request, reply) => {
    const limit = Math.round(readBody(request).number('limit', anyLimit));
    await setDefaultLimit(db, currency, limit > 0 ? limit : null);
    return sendNothing(reply);
  });
  app.post('/maintenance', async (_request, reply) => {
    await setMaintenance(db, true);
    return sendNothing(reply);
  });
  app.post('/reset', async (_request, reply) => {
    await reset(db, currency);
    return sendNothing(reply);
  });
  app.post('/check', async (request, reply) => sendJson(reply, { declined: !(await approves(db, currency, request)) }));
}

/** Dollars times a hundred come with a fraction of a cent at times: it is rounded. */
const anyLimit: Rule<number> = {
  holds: (limit) => Number.isSafeInteger(Math.round(limit)),
  rule: 'must be a number of minor units; 0 or less takes the limit away',
};

async function readSettings(db: Database, currency: string): Promise<{ limit: number; maintenanceMode: boolean }> {
  const [limits, maintenanceMode] = await Promise.all([readDefaultLimits(db), isMaintenance(db)]);
  return { limit: limits.find((one) => one.currency === currency)?.limit ?? 0, maintenanceMode };
}

function reset(db: Database, currency: string): Promise<void> {
  return transaction(db, async (tx) => {
    await setDefaultLimit(tx, currency, null);
    await setMaintenance(tx, false);
    await clearSpending(tx, currency);
  });
}

// The reference's own tests ask without a customer.
const named = identifier(MAX_CUSTOMER_ID_CHARACTERS);
const customerId: Rule<string> = { ...named, holds: (id) => id === '' || named.holds(id) };
const amount = wholeNumber(0, MAX_ORDER_VALUE);

async function approves(db: Database, currency: string, request: FastifyRequest): Promise<boolean> {
  if (await isMaintenance(db)) throw new OmsError('OMS_PAYMENT_MAINTENANCE', 'Fraud service is in maintenance mode');
  const body = readBody(request);
  const id = `check/${keyOf(request, body) ?? randomUUID()}`;
  const asked = { customerId: body.text('customerId', customerId), amount: body.number('charge', amount) };
  return decideSpending(db, { id, currency, ...asked });
}
