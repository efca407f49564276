import { randomUUID } from 'node:crypto';
import rateLimit from '@fastify/rate-limit';
import Fastify from 'fastify';
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { OmsError, faultError } from '../domain/errors.ts';
import type { ApiDependencies } from './dependencies.ts';
import { createErrorHandler, writeProblem, writeText } from './errors.ts';
import type { ErrorWriter } from './errors.ts';
import { registerErrorPages } from './error-pages.ts';
import { observe } from './observe.ts';
import { collectOpenApi, serveOpenApi } from './openapi.ts';
import { registerReference } from './reference/index.ts';
import { registerV1 } from './v1/index.ts';

/** The longest request id that is taken over from the caller. */
const MAX_REQUEST_ID = 200;
/** In an address a character may take twelve: every SKU has to fit. */
const MAX_PARAMETER = 4_096;
const SECOND_MS = 1_000;

/**
 * The HTTP API with all its routes, not yet listening. Everything under /v1 answers errors as problem documents; the
 * routes of the reference answer as it does.
 */
export async function createApp(deps: ApiDependencies): Promise<FastifyInstance> {
  const { config, logger } = deps;
  // Fastify's own lines would hold paths and queries: requests are logged by `observe`.
  const silent: FastifyBaseLogger = logger.child({}, { level: 'silent' });
  const app = Fastify({
    loggerInstance: silent,
    bodyLimit: config.OMS_API_BODY_LIMIT,
    requestTimeout: config.OMS_API_TIMEOUT,
    connectionTimeout: config.OMS_API_TIMEOUT * 2,
    genReqId: requestId,
    handlerTimeout: config.OMS_API_TIMEOUT,
    forceCloseConnections: 'idle',
    // What no route is even looked up for.
    frameworkErrors: (_error, request, reply) => {
      void writerOf(request)(reply, unreadablePath(request), request.id);
    },
    routerOptions: { maxParamLength: MAX_PARAMETER },
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler((error, request, reply) => {
    // Nothing of a request matters where there is nothing to take it.
    if (request.is404 && isRefused(error)) return answerUnknown(app, request, reply);
    return createErrorHandler(logger, writerOf(request))(error as never, request, reply);
  });
  observe(app, deps);
  if (config.OMS_API_RATE_LIMIT > 0) {
    await app.register(rateLimit, { max: config.OMS_API_RATE_LIMIT, timeWindow: SECOND_MS });
  }
  await collectOpenApi(app);
  await app.register((scope) => registerV1(scope, deps), { prefix: '/v1' });
  await app.register(serveOpenApi);
  registerErrorPages(app);
  await app.register((scope) => registerReference(scope, deps));
  app.setNotFoundHandler((request, reply) => answerUnknown(app, request, reply));
  return app;
}

/** A caller's request id is kept, so that one id follows a request through several systems. */
function requestId(request: { headers: Record<string, string | string[] | undefined> }): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[\w.:-]+$/.test(given) ? given.slice(0, MAX_REQUEST_ID) : randomUUID();
}

const isV1 = ({ url }: FastifyRequest): boolean => /^\/(v1|docs|openapi\.json)(\/|\?|$)/.test(url);
const writerOf = (request: FastifyRequest): ErrorWriter => (isV1(request) ? writeProblem : writeText);

const isRefused = (error: unknown): boolean => [400, 415].includes((error as { statusCode?: number }).statusCode ?? 0);

function answerUnknown(app: FastifyInstance, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const allow = allowedMethods(app, request);
  if (allow.length === 0) return writerOf(request)(reply, unknownRoute(request), request.id);
  return writerOf(request)(reply.header('allow', allow.join(', ')), unknownMethod(request, allow), request.id);
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

function allowedMethods(app: FastifyInstance, { url }: FastifyRequest): string[] {
  const path = url.split('?')[0] ?? '/';
  return METHODS.filter((method) => app.findRoute({ method, url: path }) !== null);
}

const unreadablePath = ({ url }: FastifyRequest): OmsError =>
  faultError('OMS_API_REQUEST_INVALID', { field: '(path)', value: url, rule: 'must be UTF-8, percent-encoded' });
const unknownRoute = ({ url }: FastifyRequest): OmsError =>
  new OmsError('OMS_API_ROUTE_UNKNOWN', isReference(url) ? '404 page not found' : `nothing at ${url.split('?')[0]}`);
const isReference = (url: string): boolean => !url.startsWith('/v1') && !url.startsWith('/docs');
const unknownMethod = ({ method, url }: FastifyRequest, allow: string[]): OmsError =>
  new OmsError(
    'OMS_API_METHOD_UNKNOWN',
    isReference(url) ? 'Method Not Allowed' : `${method} is not one of ${allow.join(', ')}`,
  );
