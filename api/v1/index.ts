import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { ApiDependencies } from '../dependencies.ts';
import { registerDeadLetters } from './dead-letters.ts';
import { registerInvoices } from './invoices.ts';
import { registerCustomers, registerLimits } from './limits.ts';
import { registerLive } from './live.ts';
import { registerMaintenance } from './maintenance.ts';
import { registerOrderLists } from './order-lists.ts';
import { registerOrders } from './orders.ts';
import { registerPrices } from './prices.ts';
import { registerShipments } from './shipments.ts';
import { registerStats } from './stats.ts';
import { registerStock } from './stock.ts';
import { registerWaiting } from './waiting.ts';

const PARTS = [
  registerOrderLists,
  registerOrders,
  registerLive,
  registerShipments,
  registerInvoices,
  registerCustomers,
  registerLimits,
  registerMaintenance,
  registerStock,
  registerPrices,
  registerDeadLetters,
  registerWaiting,
  registerStats,
];

const nothing = z.object({}).strict();

/** Everything under /v1. */
export async function registerV1(app: FastifyInstance, deps: ApiDependencies): Promise<void> {
  // A misspelt parameter that is passed over in silence gives a wrong answer that looks right.
  app.addHook('onRoute', ({ schema }) => {
    if (schema) schema.querystring ??= nothing;
  });
  app.addHook('onRequest', async (_request, reply) => {
    // It tells of people and money, and is of this moment.
    reply.header('cache-control', 'no-store');
  });
  for (const register of PARTS) await app.register(async (scope) => register(scope, deps));
}
