import type { FastifyReply } from 'fastify';
import { OmsError } from '../../domain/errors.ts';

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
