import { randomUUID } from 'node:crypto';
import rateLimit from '@fastify/rate-limit';
import Fastify from 'fastify';
import type { FastifyBaseLogger, FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { OmsError } from '../domain/errors.ts';
import { HISTOGRAMS } from '../platform/metric-names.ts';
import { Histogram } from '../platform/metrics.ts';
import type { ApiDependencies } from './dependencies.ts';
import { createErrorHandler, registerErrorPages, writeProblem, writeText } from './errors.ts';
import type { ErrorWriter } from './errors.ts';
import { collectOpenApi, serveOpenApi } from './openapi.ts';
import { registerReference } from './reference/index.ts';
import { noPage } from './reference/messages.ts';
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
  const onError = (error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply =>
    createErrorHandler(logger, writerOf(request))(error, request, reply);
  const app = Fastify({
    loggerInstance: silent,
    bodyLimit: config.OMS_API_BODY_LIMIT,
    requestTimeout: config.OMS_API_TIMEOUT,
    connectionTimeout: config.OMS_API_TIMEOUT * 2,
    genReqId: requestId,
    handlerTimeout: config.OMS_API_TIMEOUT,
    forceCloseConnections: 'idle',
    frameworkErrors: (error, request, reply) => void onError(error, request, reply),
    routerOptions: { maxParamLength: MAX_PARAMETER },
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  const routes = createRouteTable(app);
  app.setErrorHandler((error: FastifyError, request, reply) => {
    // Nothing of a request matters where there is nothing to take it.
    if (request.is404 && isRefused(error)) return answerUnknown(routes, request, reply);
    return onError(error, request, reply);
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
  app.setNotFoundHandler((request, reply) => answerUnknown(routes, request, reply));
  return app;
}

/** How often connections are looked for that have no request under way any more. */
const CLOSE_IDLE_EVERY_MS = 100;

/** Live streams end at once; requests under way are answered, if they are in time. */
export async function closeApp(app: FastifyInstance, graceMs: number): Promise<void> {
  const idle = setInterval(() => app.server.closeIdleConnections(), CLOSE_IDLE_EVERY_MS);
  const late = setTimeout(() => app.server.closeAllConnections(), graceMs);
  await app.close();
  clearInterval(idle);
  clearTimeout(late);
}

/** A caller's request id is kept, so that one id follows a request through several systems. */
function requestId(request: { headers: Record<string, string | string[] | undefined> }): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[\w.:-]+$/.test(given) ? given.slice(0, MAX_REQUEST_ID) : randomUUID();
}

const isV1 = ({ url }: FastifyRequest): boolean => /^\/(v1|docs|openapi\.json)(\/|\?|$)/.test(url);
const writerOf = (request: FastifyRequest): ErrorWriter => (isV1(request) ? writeProblem : writeText);

const pathOf = ({ url }: FastifyRequest): string => url.split('?')[0] ?? '/';
const isRefused = ({ statusCode = 0 }: FastifyError): boolean => [400, 415].includes(statusCode);

function answerUnknown(routes: RouteTable, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const allow = routes.allowed(pathOf(request));
  if (allow.length === 0) return writerOf(request)(reply, unknownRoute(request), request.id);
  return writerOf(request)(reply.header('allow', allow.join(', ')), unknownMethod(request, allow), request.id);
}

const unknownRoute = (request: FastifyRequest): OmsError =>
  isV1(request) ? new OmsError('OMS_API_ROUTE_UNKNOWN', `nothing at ${pathOf(request)}`) : noPage();
const unknownMethod = (request: FastifyRequest, allow: string[]): OmsError =>
  new OmsError(
    'OMS_API_METHOD_UNKNOWN',
    isV1(request) ? `${request.method} is not one of ${allow.join(', ')}` : 'Method Not Allowed',
  );

const BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const MS_PER_SECOND = 1_000;

/**
 * Gives each answer its request id, counts and times it, and writes it to the log: by its route, never by its path or
 * query, which may hold what people typed.
 */
function observe(app: FastifyInstance, { logger, metrics }: Pick<ApiDependencies, 'logger' | 'metrics'>): void {
  const seconds = new Histogram({
    ...HISTOGRAMS.httpRequest,
    help: 'From a request to the end of its answer, by method, route and status.',
    buckets: BUCKETS,
    registers: [metrics],
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
  app.addHook('onResponse', async (request, reply) => {
    const { method, id: requestId } = request;
    const route = request.routeOptions.url ?? '(none)';
    const { statusCode: status, elapsedTime } = reply;
    seconds.observe({ method, route, status }, elapsedTime / MS_PER_SECOND);
    logger.info({ requestId, method, route, status, ms: Math.round(elapsedTime) }, 'request answered');
  });
}

/** Knows which methods a path takes: fastify itself answers 404 to a method it has no route for. */
interface RouteTable {
  /** The methods a path takes, in the order `Allow` names them; empty when there is nothing at it. */
  allowed(path: string): string[];
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** Notes every route that is registered from now on. */
export function createRouteTable(app: FastifyInstance): RouteTable {
  const routes: { methods: readonly string[]; pattern: RegExp }[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    routes.push({ methods: [method].flat(), pattern: patternOf(url) });
  });
  return {
    allowed: (path) => {
      const found = routes.filter(({ pattern }) => pattern.test(path));
      const methods = new Set(found.flatMap((route) => route.methods));
      return METHODS.filter((method) => methods.has(method));
    },
  };
}

/** A parameter stands for one segment or a part of it, never for nothing. */
function patternOf(url: string): RegExp {
  const parts = url.split(/(:\w+(?:\([^)]*\))?|\*)/);
  const source = parts.map((part) => {
    if (part === '*') return '.*';
    return part.startsWith(':') ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${source.join('')}$`);
}
