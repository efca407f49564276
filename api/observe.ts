import type { FastifyInstance } from 'fastify';
import { HISTOGRAMS } from '../platform/metric-names.ts';
import { Histogram } from '../platform/metrics.ts';
import type { ApiDependencies } from './dependencies.ts';

const BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const MS_PER_SECOND = 1_000;

/**
 * Gives each answer its request id, counts and times it, and writes it to the log: by its route, never by its path or
 * query, which may hold what people typed.
 */
export function observe(app: FastifyInstance, { logger, metrics }: Pick<ApiDependencies, 'logger' | 'metrics'>): void {
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
