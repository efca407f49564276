import type { FastifyInstance } from 'fastify';
import type { ApiDependencies } from '../dependencies.ts';
import { registerOrderLists } from './order-lists.ts';
import { registerOrders } from './orders.ts';

/** Everything under /v1. */
export async function registerV1(app: FastifyInstance, deps: ApiDependencies): Promise<void> {
  await app.register((scope) => registerOrderLists(scope, deps));
  await app.register((scope) => registerOrders(scope, deps));
}
