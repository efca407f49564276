import type { FastifyRequest } from 'fastify';
import { check, identifier } from '../../domain/rules.ts';
import type { Fields } from './body.ts';

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
