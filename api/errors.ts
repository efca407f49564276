import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors, isResponseSerializationError } from 'fastify-type-provider-zod';
import { databaseError } from '../database/database.ts';
import { OmsError, isOmsError, shown } from '../domain/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { asRequestError, invalid, problemOf, statusOf } from './problem.ts';

/** How an error is written into an answer: a problem document under /v1, plain text on the reference's routes. */
export type ErrorWriter = (reply: FastifyReply, error: OmsError, requestId: string) => FastifyReply;

export const writeProblem: ErrorWriter = (reply, error, requestId) => {
  const problem = problemOf(error, requestId);
  return reply.code(problem.status).type('application/problem+json').serializer(JSON.stringify).send(problem);
};

/** The reference answers errors as a line of text; the code stands in a header, for programs. */
export const writeText: ErrorWriter = (reply, error, requestId) => {
  const { status, detail, code } = problemOf(error, requestId);
  return reply
    .code(status)
    .header('oms-error-code', code)
    .header('x-content-type-options', 'nosniff')
    .type('text/plain; charset=utf-8')
    .serializer(String)
    .send(`${detail}\n`);
};

/** Answers whatever was thrown; what is our own fault goes to the log with all there is. */
export function createErrorHandler(logger: Logger, write: ErrorWriter) {
  return (thrown: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const error = namedError(thrown, request);
    const facts = { requestId: request.id, route: request.routeOptions.url, code: error.code, err: thrown };
    // What is away or held for now is no fault of ours, and can be very many requests.
    if (statusOf(error) === 500) logger.error(facts, 'request failed');
    else if (statusOf(error) > 500) logger.warn({ ...facts, err: error.message }, 'request failed');
    return write(reply, error, request.id);
  };
}

/** Whatever was thrown, as an error of our own table. */
export function namedError(thrown: unknown, request: FastifyRequest): OmsError {
  const error = asRequestError(databaseError(thrown));
  if (isOmsError(error)) return error;
  if (hasZodFastifySchemaValidationErrors(error)) return invalidRequest(error, request);
  if (isResponseSerializationError(error)) return internal(error);
  return httpError(error as FastifyError, request);
}

function internal(cause: unknown): OmsError {
  return new OmsError('OMS_API_INTERNAL', 'a fault of the OMS itself', { cause });
}

/** What fastify itself refuses. */
function httpError(error: FastifyError, { url }: FastifyRequest): OmsError {
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new OmsError('OMS_API_BODY_TOO_LARGE', error.message);
    case 'FST_ERR_BAD_URL':
      return invalid({ field: '(path)', value: shown(url), rule: 'must be UTF-8, percent-encoded' });
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return new OmsError('OMS_API_ROUTE_UNKNOWN', 'there is nothing at so long a path');
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new OmsError('OMS_API_MEDIA_TYPE', error.message);
    case 'FST_ERR_HANDLER_TIMEOUT':
      return new OmsError('OMS_API_TIMED_OUT', 'not answered in time', { cause: error });
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new OmsError('OMS_API_BODY_UNREADABLE', error.message);
  }
  if (error.statusCode === 429) return new OmsError('OMS_API_RATE_LIMITED', error.message);
  if (error.statusCode === 400) return new OmsError('OMS_API_BODY_UNREADABLE', error.message);
  return internal(error);
}

interface Issue {
  instancePath: string;
  message?: string | undefined;
  params?: Record<string, unknown>;
}

interface Validation {
  validation: Issue[];
  validationContext?: string;
}

const PLACES: Record<string, string> = { querystring: '(query)', params: '(path)', headers: '(headers)' };

/** The first rule that was broken, with the place and the value as it came. */
function invalidRequest({ validation, validationContext = 'body' }: Validation, request: FastifyRequest): OmsError {
  const [first] = validation;
  const given = { body: request.body, querystring: request.query, params: request.params, headers: request.headers };
  const root = given[validationContext as keyof typeof given];
  const { path, rule } = brokenBy(first);
  const value = path.reduce<unknown>((at, key) => (at as Record<string, unknown> | null | undefined)?.[key], root);
  const field = path.map((key, i) => (/^\d+$/.test(key) ? `[${key}]` : `${i > 0 ? '.' : ''}${key}`)).join('');
  return invalid({ field: field || (PLACES[validationContext] ?? '(body)'), value: shown(value), rule });
}

/** What is not known is named itself, not by what holds it. */
function brokenBy(issue: Issue | undefined): { path: string[]; rule: string } {
  const path = (issue?.instancePath ?? '').split('/').filter((part) => part !== '');
  const unknown = issue?.params?.keys;
  if (Array.isArray(unknown)) return { path: [...path, String(unknown[0])], rule: 'is not known here' };
  return { path, rule: issue?.message ?? 'breaks a rule' };
}
