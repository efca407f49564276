import { randomUUID } from 'node:crypto';
import rateLimit from '@fastify/rate-limit';
import Fastify from 'fastify';
import type { FastifyBaseLogger, FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { OmsError } from '../domain/errors.ts';
import type { ApiDependencies } from './dependencies.ts';
import { createErrorHandler, writeProblem, writeText } from './errors.ts';
import type { ErrorWriter } from './errors.ts';
import { observe } from './observe.ts';
import { noPage } from './reference/answers.ts';
import { registerReference } from './reference/index.ts';
import { createRouteTable } from './route-table.ts';
import { registerV1 } from './v1/index.ts';

/** The longest request id that is taken over from the caller. */
const MAX_REQUEST_ID = 200;
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
    routerOptions: { maxParamLength: 512 },
    frameworkErrors: (error, request, reply) => void onError(error, request, reply),
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(onError);
  const routes = createRouteTable(app);
  observe(app, deps);
  if (config.OMS_API_RATE_LIMIT > 0) {
    await app.register(rateLimit, { max: config.OMS_API_RATE_LIMIT, timeWindow: SECOND_MS });
  }
  await app.register((scope) => registerV1(scope, deps), { prefix: '/v1' });
  await app.register((scope) => registerReference(scope, deps));
  app.setNotFoundHandler((request, reply) => {
    const allow = routes.allowed(pathOf(request));
    if (allow.length === 0) return writerOf(request)(reply, unknownRoute(request), request.id);
    return writerOf(request)(reply.header('allow', allow.join(', ')), unknownMethod(request, allow), request.id);
  });
  return app;
}

/** A caller's request id is kept, so that one id follows a request through several systems. */
function requestId(request: { headers: Record<string, string | string[] | undefined> }): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[\w.:-]+$/.test(given) ? given.slice(0, MAX_REQUEST_ID) : randomUUID();
}

const isV1 = ({ url }: FastifyRequest): boolean => /^\/(v1|docs)(\/|\?|$)/.test(url);
const writerOf = (request: FastifyRequest): ErrorWriter => (isV1(request) ? writeProblem : writeText);

const pathOf = ({ url }: FastifyRequest): string => url.split('?')[0] ?? '/';

const unknownRoute = (request: FastifyRequest): OmsError =>
  isV1(request) ? new OmsError('OMS_API_ROUTE_UNKNOWN', `nothing at ${pathOf(request)}`) : noPage();
const unknownMethod = (request: FastifyRequest, allow: string[]): OmsError =>
  new OmsError(
    'OMS_API_METHOD_UNKNOWN',
    isV1(request) ? `${request.method} is not one of ${allow.join(', ')}` : 'Method Not Allowed',
  );
