import Fastify from 'fastify';
import type { FastifyInstance } from 'fastify';
import type { Registry } from './metrics.ts';

/** One named condition of readiness: null when it holds, else the reason in words. */
export type Check = () => string | null | Promise<string | null>;

export interface HealthOptions {
  host: string;
  port: number;
  metrics: Registry;
  /** Work goes on: a stuck process is restarted. */
  live: Record<string, Check>;
  /** Ready for work: dependencies answer, not draining. */
  ready: Record<string, Check>;
}

export interface HealthServer {
  url: string;
  close(): Promise<void>;
}

async function answer(checks: Record<string, Check>): Promise<{ ok: boolean; checks: Record<string, string> }> {
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => [name, await outcome(check)] as const),
  );
  return {
    ok: results.every(([, reason]) => reason === null),
    checks: Object.fromEntries(results.map(([n, r]) => [n, r ?? 'ok'])),
  };
}

async function outcome(check: Check): Promise<string | null> {
  try {
    return await check();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function route(app: FastifyInstance, path: string, checks: Record<string, Check>): void {
  app.get(path, async (_request, reply) => {
    const result = await answer(checks);
    return reply.code(result.ok ? 200 : 503).send(result);
  });
}

/** `/livez`, `/readyz` (each check named, 503 when one fails) and `/metrics` of a role. Port 0 takes a free one. */
export async function startHealth(options: HealthOptions): Promise<HealthServer> {
  const app = Fastify({ logger: false });
  route(app, '/livez', options.live);
  route(app, '/readyz', options.ready);
  app.get('/metrics', async (_request, reply) =>
    reply.type(options.metrics.contentType).send(await options.metrics.metrics()),
  );
  const url = await app.listen({ host: options.host, port: options.port });
  return { url, close: () => app.close() };
}
