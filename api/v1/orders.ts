import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { readLedgerRecord } from '../../database/ledger/ledger-record.ts';
import { postedEvents } from '../../database/ledger/posted-records.ts';
import { CAUSE_FORMS } from '../../domain/causes.ts';
import { OmsError } from '../../domain/errors.ts';
import type { Address, OrderItem } from '../../domain/order.ts';
import { readOrderHead, readOrderView } from '../../orders/record/order-view.ts';
import type { OrderHead } from '../../orders/record/order-view.ts';
import { answerOnce, give } from '../commands/answer-once.ts';
import { askOrder, placeOrder } from '../commands/order-commands.ts';
import type { Wish } from '../commands/order-commands.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { idempotencyKey, orderId as orderIdOf, problems, typed } from './atoms.ts';
import type { address, orderItem } from './atoms.ts';
import { orderJson, timelineJson } from './order-json.ts';
import {
  accepted,
  actionRequest,
  amendRequest,
  cancelRequest,
  newOrder,
  order as orderSchema,
  timeline,
} from './order-schemas.ts';

const byId = z.object({ id: orderIdOf });

/** Orders: place, look, and ask for changes. */
export function registerOrders(app: FastifyInstance, deps: ApiDependencies): void {
  registerPlace(app, deps);
  registerLooks(app, deps);
  registerWish(app, deps, {
    path: 'cancel',
    summary: 'Ask for the cancellation of an order, or of one fulfillment. The carrier has the last word.',
    body: cancelRequest,
    wish: ({ reason = null, fulfillmentId = null }) => ({ kind: 'cancel', reason, fulfillmentId }),
  });
  registerWish(app, deps, {
    path: 'amend',
    summary: 'Ask for a change: drop lines, lower quantities, change the address.',
    body: amendRequest,
    wish: ({ items, shipTo }) => ({ kind: 'amend', items: items?.map(itemOf) ?? null, shipTo: addressOf(shipTo) }),
  });
  registerWish(app, deps, {
    path: 'action',
    summary: 'What the customer decided about unavailable items.',
    body: actionRequest,
    wish: ({ action }) => ({ kind: 'customerAction', action }),
  });
}

function registerPlace(app: FastifyInstance, { db, posting }: ApiDependencies): void {
  typed(app).post(
    '/orders',
    {
      schema: {
        operationId: 'placeOrder',
        summary: 'Place an order. It can be read at once; the same order again is answered with the first.',
        tags: ['orders'],
        headers: idempotencyKey,
        body: newOrder,
        response: { 201: orderSchema, 200: orderSchema, ...problems(409, 413, 415, 422) },
      },
    },
    async ({ body, headers }, reply) => {
      const key = headers['idempotency-key'];
      const answer = await answerOnce(db, { key, scope: 'POST /v1/orders', content: body }, async (tx) => {
        const orderId = body.orderId ?? randomUUID();
        const { customerId, currency, items, shipTo } = body;
        const wanted = { orderId, customerId, currency, items: items.map(itemOf), shipTo: addressOf(shipTo) };
        const outcome = await placeOrder(posting, tx, { ...wanted, eventId: CAUSE_FORMS.http(randomUUID()) });
        const headers = { location: `/v1/orders/${orderId}` };
        return { status: outcome === 'placed' ? 201 : 200, headers, body: { orderId } };
      });
      const { orderId } = answer.body as { orderId: string };
      const found = await readOne({ db }, orderId);
      return give(reply, answer).send(found);
    },
  );
}

function registerLooks(app: FastifyInstance, { db }: ApiDependencies): void {
  typed(app).get(
    '/orders/:id',
    {
      schema: {
        operationId: 'getOrder',
        summary: 'An order with its fulfillments, invoices, payments and shipments.',
        tags: ['orders'],
        params: byId,
        response: { 200: orderSchema, ...problems(404) },
      },
    },
    async ({ params }) => readOne({ db }, params.id),
  );
  typed(app).get(
    '/orders/:id/timeline',
    {
      schema: {
        operationId: 'getTimeline',
        summary:
          'What was told of an order, what was asked of it and what became of that, and what carriers have said.',
        tags: ['orders'],
        params: byId,
        response: { 200: timeline, ...problems(404) },
      },
    },
    async ({ params }) => {
      const view = await readOrderView(db, params.id);
      if (!view || !orderJson(view, await placedOf(db, view))) throw unknownOrder(params.id);
      return timelineJson(view, await postedEvents(db, params.id));
    },
  );
}

/** @throws OmsError OMS_ORDER_UNKNOWN */
async function readOne({ db }: Pick<ApiDependencies, 'db'>, id: string) {
  const head = await readOrderHead(db, id);
  const json = head && orderJson(head, await placedOf(db, head));
  if (!json) throw unknownOrder(id);
  return json;
}

const unknownOrder = (id: string): OmsError => new OmsError('OMS_ORDER_UNKNOWN', `no order ${id}`);

/** Only an order that no worker has taken is read from what was placed. */
async function placedOf(db: ApiDependencies['db'], { order, orderId }: OrderHead) {
  return order ? null : ((await readLedgerRecord(db, orderId))?.placed ?? null);
}

function registerWish<B extends z.ZodType>(
  app: FastifyInstance,
  { db, posting }: ApiDependencies,
  route: { path: string; summary: string; body: B; wish: (body: z.output<B>) => Wish },
): void {
  const { path, summary, body: schema, wish } = route;
  typed(app).post(
    `/orders/:id/${path}`,
    {
      schema: {
        operationId: `${path}Order`,
        summary,
        description: 'Taken in when answered; what came of it stands in the timeline, under the event id.',
        tags: ['orders'],
        params: byId,
        headers: idempotencyKey,
        body: schema,
        response: { 202: accepted, ...problems(404, 409, 413, 415, 422) },
      },
    },
    async ({ params: { id: orderId }, body, headers }, reply) => {
      const key = headers['idempotency-key'];
      const scope = `POST /v1/orders/${orderId}/${path}`;
      const answer = await answerOnce(db, { key, scope, content: body }, async (tx) => {
        const eventId = CAUSE_FORMS.http(randomUUID());
        await askOrder(posting, tx, { orderId, eventId, wish: wish(body as z.output<B>) });
        return { status: 202, headers: { location: `/v1/orders/${orderId}/timeline` }, body: { orderId, eventId } };
      });
      return give(reply, answer).send(answer.body as z.output<typeof accepted>);
    },
  );
}

function itemOf({ sku, quantity, unitPrice, description }: z.output<typeof orderItem>): OrderItem {
  return { sku, quantity, unitPrice: unitPrice ?? null, description: description ?? null };
}

function addressOf(given: z.output<typeof address> | null | undefined): Address | null {
  if (!given) return null;
  const { name, line1, line2, city, region, postalCode, country } = given;
  const lines = { name, line1, line2, city, region, postalCode };
  const stated = Object.fromEntries(Object.entries(lines).map(([line, value]) => [line, value ?? null]));
  return { ...(stated as Record<keyof typeof lines, string | null>), country };
}
