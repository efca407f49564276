import { Writable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { Registry } from 'prom-client';
import { createApp } from '../../api/app.ts';
import { createRedriver } from '../../api/commands/redrive-once.ts';
import type { ApiDependencies } from '../../api/dependencies.ts';
import { createFeed } from '../../api/feed.ts';
import { loadConfig } from '../../platform/config/load.ts';
import { createLogger } from '../../platform/logger.ts';
import { createPaymentSimulator } from '../../providers/payment/simulator.ts';
import { roleResources } from '../../resources/profiles.ts';
import { createFulfillmentWorld } from './fulfillment-world.ts';
import type { FulfillmentWorld, FulfillmentWorldOptions } from './fulfillment-world.ts';
import { silent } from './order-world.ts';
import { testEnvironment } from './stack.ts';

/** An answer as tests look at it. */
export interface Reply {
  status: number;
  headers: Record<string, unknown>;
  text: string;
  /** Of a JSON answer. */
  json: Record<string, unknown>;
}

export interface Call {
  body?: unknown;
  headers?: Record<string, string>;
}

/** The HTTP API on a database of its own, with the steps of orders at hand and without a listening port. */
export interface ApiWorld extends FulfillmentWorld {
  app: FastifyInstance;
  deps: ApiDependencies;
  /** Every line the API has logged. */
  log(): string;
  call(method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD', path: string, call?: Call): Promise<Reply>;
  get(path: string, headers?: Record<string, string>): Promise<Reply>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Reply>;
  put(path: string, body: unknown): Promise<Reply>;
  /** Everything of a list, page by page, of so many items each. */
  pages(path: string, limit: number): Promise<Record<string, unknown>[]>;
  /** Another API on the same database. */
  another(settings: Record<string, string>, parts?: Partial<ApiDependencies>): Promise<FastifyInstance>;
  close(): Promise<void>;
}

/** Parts that are not there: what asks them is told so. */
const AWAY = { read: () => Promise.reject(new Error('not part of this test')) };

export async function createApiWorld(options: FulfillmentWorldOptions = {}): Promise<ApiWorld> {
  const world = await createFulfillmentWorld(options);
  const { db, prefix, encoder, url } = world;
  const environment = { ...testEnvironment(), DATABASE_URL: url, OMS_PREFIX: prefix };
  const config = loadConfig(environment);
  const resources = roleResources('api', config, silent);
  const codec = await resources.codec();
  await codec.load();
  const { logger, log } = memoryLogger();
  const temporal = await resources.temporal();
  const deps: ApiDependencies = {
    ...{ config, logger, db, codec, encoder },
    metrics: new Registry(),
    posting: { codec, prefix, source: config.OMS_API_SOURCE },
    payment: createPaymentSimulator({ db, latencyMs: 0, faults: [] }),
    queues: AWAY,
    client: temporal.client,
    redriver: createRedriver(resources),
    lag: AWAY,
    feed: createFeed({ db, logger }),
  };
  const app = await createApp(deps);
  const call = callerOf(app);
  const others: FastifyInstance[] = [];
  return {
    ...world,
    ...{ app, deps, log, call },
    get: (path, headers) => call('GET', path, { headers }),
    post: (path, body, headers) => call('POST', path, { body, headers }),
    put: (path, body) => call('PUT', path, { body }),
    pages: (path, limit) => allPages(call, path, limit),
    another: async (settings, parts = {}) => {
      const own = { config: loadConfig({ ...environment, ...settings }), metrics: new Registry() };
      const other = await createApp({ ...deps, ...own, ...parts });
      others.push(other);
      return other;
    },
    close: async () => {
      await Promise.all([app, ...others].map((one) => one.close()));
      await resources.close();
      await world.drop();
    },
  };
}

/** Remembers what is logged, the least of it too. */
function memoryLogger() {
  const lines: string[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(chunk.toString());
      done();
    },
  });
  return { logger: createLogger({ role: 'api', level: 'trace', destination: stream }), log: () => lines.join('') };
}

export function callerOf(app: FastifyInstance): ApiWorld['call'] {
  return async (method, url, { body, headers = {} } = {}) => {
    const payload = body === undefined ? {} : { payload: body as string | object };
    const answer = await app.inject({ method, url, headers, ...payload });
    const isJson = /json/.test(String(answer.headers['content-type']));
    const json = isJson && answer.body ? answer.json<Record<string, unknown>>() : {};
    return { status: answer.statusCode, headers: answer.headers, text: answer.body, json };
  };
}

async function allPages(call: ApiWorld['call'], path: string, limit: number): Promise<Record<string, unknown>[]> {
  const items: Record<string, unknown>[] = [];
  let cursor = '';
  for (;;) {
    const separator = path.includes('?') ? '&' : '?';
    const from = cursor && `&cursor=${cursor}`;
    const { status, json, text } = await call('GET', `${path}${separator}limit=${limit}${from}`);
    if (status !== 200) throw new Error(text);
    items.push(...(json.items as Record<string, unknown>[]));
    if (json.next === null) return items;
    cursor = json.next as string;
  }
}
