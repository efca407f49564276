import type { FastifyReply, FastifyInstance, FastifyRequest } from 'fastify';
import { OmsError } from '../../domain/errors.ts';
import { check, identifier } from '../../domain/rules.ts';
import type { OrderStatus, PaymentStatus, ShipmentStatus } from '../../domain/status.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { Fields } from './body.ts';

/** Answers as the reference's clients know them: compact JSON and a line feed, or nothing at all. */
export function sendJson(reply: FastifyReply, value: unknown): FastifyReply {
  // As bytes, since fastify would add a charset to the type of anything else.
  return reply.header('content-type', 'application/json').send(Buffer.from(`${JSON.stringify(value)}\n`));
}

export function sendNothing(reply: FastifyReply, status = 200): FastifyReply {
  return reply.code(status).header('content-length', '0').send();
}

export const noPage = (): OmsError => new OmsError('OMS_API_ROUTE_UNKNOWN', '404 page not found');
export const noOrder = (): OmsError => new OmsError('OMS_ORDER_UNKNOWN', 'Order not found');
export const noShipment = (): OmsError => new OmsError('OMS_SHIPMENT_UNKNOWN', 'Shipment not found');

/** RFC 3339 as Go writes it: in UTC, zeros at the end of the fraction cut. */
export function goTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.?0*Z$/, 'Z');
}

/** What Go's zero time looks like: not yet. */
export const ZERO_TIME = '0001-01-01T00:00:00Z';

/** The longest list that is answered: the newest so many. The reference answers all there ever were. */
export const MOST_LISTED = 1_000;

/** A route by which the reference's own workers change what its API shows. Here nobody may: the reason says what does. */
export function notOffered(app: FastifyInstance, path: string, reason: string): void {
  app.post(path, () => {
    throw new OmsError('OMS_API_NOT_OFFERED', `Forbidden: ${reason}`);
  });
}

const rule = identifier(200);

/**
 * What a request is to be done once for: the body's `idempotencyKey`, else the header Idempotency-Key; undefined when
 * neither is given. @throws OmsError OMS_API_REQUEST_INVALID
 */
export function keyOf({ headers }: FastifyRequest, body: Fields): string | undefined {
  const header = headers['idempotency-key'];
  const given = body.text('idempotencyKey') || (typeof header === 'string' ? header : '');
  if (given === '') return undefined;
  check(() => 'idempotencyKey', given, rule, 'OMS_API_REQUEST_INVALID');
  return given;
}

/** Our statuses in the words the reference's clients know. docs/reference-api.md gives the reasons. */
const ORDER: Partial<Record<OrderStatus, string>> = { partiallyCompleted: 'completed' };
const SHIPMENT: Partial<Record<ShipmentStatus, string>> = { deliveryFailed: 'dispatched', returned: 'failed' };
const PAYMENT: Record<PaymentStatus, 'pending' | 'success' | 'failed'> = {
  pending: 'pending',
  authorized: 'success',
  success: 'success',
  refunded: 'success',
  failed: 'failed',
  voided: 'failed',
};

export const orderStatus = (status: OrderStatus): string => ORDER[status] ?? status;
export const shipmentStatus = (status: ShipmentStatus): string => SHIPMENT[status] ?? status;
export const paymentStatus = (status: PaymentStatus): string => PAYMENT[status];

/** All of an order is one workflow on one task queue, so the figures of the three services are the same. */
export async function statsOf({ queues }: ApiDependencies): Promise<{ workerCount: number; backlog: number }> {
  const { workers: workerCount, backlog } = await queues.read();
  return { workerCount, backlog };
}
