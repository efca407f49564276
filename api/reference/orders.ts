import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { listOrders } from '../../database/read/orders.ts';
import { completedWithin, findPlaced } from '../../database/read/reference.ts';
import { CAUSE_FORMS } from '../../domain/causes.ts';
import { OmsError, faultError } from '../../domain/errors.ts';
import { ORDER_ID_RULE, isOrderId } from '../../domain/ids.ts';
import { MAX_QUANTITY } from '../../domain/order.ts';
import { wholeNumber } from '../../domain/rules.ts';
import { readOrder } from '../../orders/record/load.ts';
import type { FulfillmentRecord, OrderRecord, ShipmentRecord } from '../../orders/record/record.ts';
import { askOrder, placeOrder } from '../commands/order-commands.ts';
import type { WantedOrder } from '../commands/order-commands.ts';
import { postingTransaction } from '../commands/posting.ts';
import type { ApiDependencies } from '../dependencies.ts';
import {
  MOST_LISTED,
  goTime,
  noOrder,
  notOffered,
  orderStatus,
  paymentStatus,
  readBody,
  sendJson,
  sendNothing,
  shipmentStatus,
  statsOf,
} from './messages.ts';
import type { Fields } from './messages.ts';

type ById = { Params: { id: string } };

const RATE_MS = 30_000;
const MS_PER_SECOND = 1_000;

/** The reference's order service. */
export function registerOrders(app: FastifyInstance, deps: ApiDependencies): void {
  app.post('/orders', async (request, reply) => place(deps, readBody(request), reply));
  app.get('/orders', async (_request, reply) => {
    const { items } = await listOrders(deps.db, {}, { limit: MOST_LISTED });
    const rows = items.map(({ orderId: id, status, receivedAt }) => ({
      ...{ id, status: orderStatus(status) },
      receivedAt: goTime(receivedAt.getTime()),
    }));
    return sendJson(reply, rows);
  });
  app.get('/orders/stats', async (_request, reply) => {
    const [stats, completed] = await Promise.all([statsOf(deps), completedWithin(deps.db, RATE_MS)]);
    return sendJson(reply, { ...stats, completeRate: completed / (RATE_MS / MS_PER_SECOND) });
  });
  app.get<ById>('/orders/:id', async ({ params: { id } }, reply) => sendJson(reply, await readOne(deps, id)));
  app.post<ById>('/orders/:id/action', async (request, reply) => {
    await act(deps, request.params.id, readBody(request));
    return sendNothing(reply);
  });
  notOffered(app, '/orders/:id/insert', 'orders are placed by POST /orders');
  notOffered(app, '/orders/:id/status', "an order's status follows from what happens to it");
}

async function place({ db, posting, config }: ApiDependencies, body: Fields, reply: FastifyReply): Promise<unknown> {
  const wanted = wantedOrder(body, config.OMS_API_CURRENCY);
  try {
    await postingTransaction(db, (tx) => placeOrder(posting, tx, wanted));
  } catch (error) {
    throw isConflict(error) ? taken(wanted.orderId, error) : error;
  }
  return sendNothing(reply.header('location', `/orders/${wanted.orderId}`), 201);
}

const CONFLICTS: readonly string[] = ['OMS_INGEST_ORDER_CONFLICT', 'OMS_INGEST_EVENT_CONFLICT'];
const isConflict = (error: unknown): boolean => error instanceof OmsError && CONFLICTS.includes(error.code);
const taken = (id: string, cause: unknown): OmsError =>
  new OmsError('OMS_INGEST_ORDER_CONFLICT', `id is "${id}": must be new, since there is another order of this id`, {
    cause,
  });

/** An order's id names its event, too: the same order again is the same event. */
function wantedOrder(body: Fields, currency: string): WantedOrder {
  const orderId = body.text('id', { holds: isOrderId, rule: ORDER_ID_RULE });
  return {
    ...{ orderId, eventId: CAUSE_FORMS.http(orderId), currency, shipTo: null },
    customerId: body.text('customerId'),
    items: itemsOf(body).map((item) => ({ ...item, unitPrice: null, description: null })),
  };
}

const quantity = wholeNumber(1, MAX_QUANTITY);

/** The items of an order or a charge. @throws OmsError OMS_API_REQUEST_INVALID */
export function itemsOf(body: Fields): { sku: string; quantity: number }[] {
  return body.list('items').map((item) => ({ sku: item.text('sku'), quantity: item.number('quantity', quantity) }));
}

async function readOne({ db }: ApiDependencies, id: string) {
  if (!isOrderId(id)) throw noOrder();
  const order = await readOrder(db, id);
  if (order) return orderJson(order);
  const placed = await findPlaced(db, id);
  if (!placed) throw noOrder();
  return untakenJson(placed);
}

const ACTIONS = ['amend', 'cancel'] as const;

async function act({ db, posting }: ApiDependencies, orderId: string, body: Fields): Promise<void> {
  const given = body.text('action');
  const action = ACTIONS.find((one) => one === given);
  if (!action) {
    const rule = `must be one of ${ACTIONS.join(', ')}`;
    throw faultError('OMS_API_REQUEST_INVALID', { field: 'action', value: given, rule });
  }
  if (!isOrderId(orderId)) throw noOrder();
  const request = {
    orderId,
    eventId: CAUSE_FORMS.http(randomUUID()),
    wish: { kind: 'customerAction', action } as const,
  };
  try {
    await postingTransaction(db, (tx) => askOrder(posting, tx, request));
  } catch (error) {
    throw error instanceof OmsError && error.code === 'OMS_ORDER_UNKNOWN' ? noOrder() : error;
  }
}

/** An order no worker has taken yet: nothing is reserved, so there are no fulfillments. Times in ms since the epoch. */
function untakenJson(order: { id: string; customerId: string; receivedAt: number }) {
  const { id, customerId, receivedAt } = order;
  return { id, customerId, receivedAt: goTime(receivedAt), status: 'pending', fulfillments: null };
}

/** An order as it stands. */
function orderJson(order: OrderRecord) {
  const { orderId: id, customerId, receivedAt, status, fulfillments } = order;
  return {
    ...{ id, customerId, receivedAt: goTime(receivedAt), status: orderStatus(status) },
    fulfillments: fulfillments.length > 0 ? fulfillments.map((f) => fulfillmentJson(f, order)) : null,
  };
}

function fulfillmentJson(f: FulfillmentRecord, order: OrderRecord) {
  return {
    id: f.id,
    items: f.items.map(({ sku, quantity }) => ({ sku, quantity })),
    ...(f.warehouse === null ? {} : { location: f.warehouse }),
    status: f.status,
    ...paymentJson(f),
    ...(f.shipment ? { shipment: shipmentJson(f, f.shipment, order) } : {}),
  };
}

function paymentJson({ invoice, payment }: FulfillmentRecord) {
  if (!invoice || !payment) return {};
  const { subTotal, tax, shipping, total } = invoice;
  return { payment: { subTotal, tax, shipping, total, status: paymentStatus(payment.status) } };
}

/** A shipment is begun when it is paid for; from then on its own moves count. */
function shipmentJson({ id, payment }: FulfillmentRecord, shipment: ShipmentRecord, { receivedAt }: OrderRecord) {
  const { status, bookedAt, dispatchedAt, endedAt } = shipment;
  const updatedAt = endedAt ?? dispatchedAt ?? bookedAt ?? payment?.settledAt ?? receivedAt;
  return { id, status: shipmentStatus(status), updatedAt: goTime(updatedAt) };
}
