import type { FastifyInstance } from 'fastify';
import type { ApiDependencies } from '../dependencies.ts';
import { registerBilling } from './billing.ts';
import { registerFraud } from './fraud.ts';
import { noPage } from './messages.ts';
import { registerOrders } from './orders.ts';
import { registerShipments } from './shipments.ts';

/** The routes of the reference OMS, as its clients know them: docs/reference-api.md lists what differs, and why. */
export async function registerReference(app: FastifyInstance, deps: ApiDependencies): Promise<void> {
  // Its clients name no content type, or the wrong one: whatever comes is read as JSON, by the routes that read it.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  app.addHook('onRequest', async ({ params, raw }) => {
    delete raw.headers['content-type'];
    if (Object.values(params as Record<string, string>).includes('')) throw noPage();
  });
  for (const register of [registerOrders, registerShipments, registerBilling, registerFraud]) register(app, deps);
}
