import type { FastifyReply, FastifyInstance, FastifyRequest } from 'fastify';
import { OmsError, faultError } from '../../domain/errors.ts';
import { check, identifier } from '../../domain/rules.ts';
import type { Rule } from '../../domain/rules.ts';
import type { OrderStatus, PaymentStatus, ShipmentStatus } from '../../domain/status.ts';
import type { ApiDependencies } from '../dependencies.ts';

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

/**
 * A JSON object as the reference reads it: names match whatever their case, unknown ones are ignored, and what is missing
 * or null is the type's zero value. What has another type is refused.
 */
export interface Fields {
  /** @throws OmsError OMS_API_REQUEST_INVALID, as all of these */
  text(name: string, rule?: Rule<string>): string;
  number(name: string, rule: Rule<number>): number;
  list(name: string): Fields[];
}

/**
 * The body's fields, whatever type the request says it has.
 * @throws OmsError OMS_API_BODY_UNREADABLE when there is no body or it is not JSON; OMS_API_REQUEST_INVALID
 */
export function readBody({ body }: FastifyRequest): Fields {
  const text = typeof body === 'string' ? body : '';
  if (text.trim() === '') throw new OmsError('OMS_API_BODY_UNREADABLE', 'the body is empty: it must be a JSON object');
  return fieldsOf('', parse(text));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new OmsError('OMS_API_BODY_UNREADABLE', `the body must be one JSON object: ${detail}`, { cause: error });
  }
}

function fieldsOf(path: string, value: unknown): Fields {
  if (!isObject(value)) throw invalid(path || '(body)', value, 'must be a JSON object');
  const byName = new Map(Object.entries(value ?? {}).map(([name, field]) => [name.toLowerCase(), field as unknown]));
  const at = (name: string): string => (path ? `${path}.${name}` : name);
  const read = (name: string): unknown => byName.get(name.toLowerCase());
  return {
    text: (name, rule) => textOf(at(name), read(name) ?? '', rule),
    number: (name, rule) => numberOf(at(name), read(name) ?? 0, rule),
    list: (name) => listOf(at(name), read(name) ?? []),
  };
}

const isObject = (value: unknown): value is object | null => typeof value === 'object' && !Array.isArray(value);

function textOf(field: string, value: unknown, rule: Rule<string> = anyText): string {
  if (typeof value !== 'string') throw invalid(field, value, 'must be a string');
  check(() => field, value, unicode, 'OMS_API_REQUEST_INVALID');
  check(() => field, value, rule, 'OMS_API_REQUEST_INVALID');
  return value;
}

const anyText: Rule<string> = { holds: () => true, rule: '' };
const unicode: Rule<string> = {
  holds: (value) => value.isWellFormed(),
  rule: 'must be well-formed Unicode, without lone surrogates',
};

function numberOf(field: string, value: unknown, rule: Rule<number>): number {
  if (typeof value !== 'number') throw invalid(field, value, rule.rule);
  check(() => field, value, rule, 'OMS_API_REQUEST_INVALID');
  return value;
}

function listOf(field: string, value: unknown): Fields[] {
  if (!Array.isArray(value)) throw invalid(field, value, 'must be an array');
  return value.map((element: unknown, i) => fieldsOf(`${field}[${i}]`, element));
}

const invalid = (field: string, value: unknown, rule: string): OmsError =>
  faultError('OMS_API_REQUEST_INVALID', { field, value, rule });
