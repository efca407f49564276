import type { FastifyInstance } from 'fastify';
import { createApp } from '../../api/app.ts';
import { createRedriver } from '../../api/commands/redrive-once.ts';
import type { ApiDependencies } from '../../api/dependencies.ts';
import { createFeed } from '../../api/feed.ts';
import { referenceRule } from '../../domain/allocation.ts';
import { ORDERS_TASK_QUEUE } from '../../domain/contract.ts';
import { joinLagReaders } from '../../kafka/consumer/lag.ts';
import { topicNames } from '../../kafka/topics.ts';
import { loadConfig } from '../../platform/config/load.ts';
import { createMetrics } from '../../platform/metrics.ts';
import { createPaymentSimulator } from '../../providers/payment/simulator.ts';
import { roleResources } from '../../resources/profiles.ts';
import { createQueueReader } from '../../temporal/queue-stats.ts';
import { createFulfillmentWorld } from './fulfillment-world.ts';
import type { FulfillmentWorld, FulfillmentWorldOptions } from './fulfillment-world.ts';
import { silent } from './order-world.ts';
import { testEnvironment } from './stack.ts';

/** An answer as a client of the reference sees it. */
export interface Answer {
  status: number;
  headers: Record<string, unknown>;
  text: string;
  json: unknown;
}

export interface Call {
  body?: string;
  headers?: Record<string, string>;
}

/** The API with the reference's routes, on a database of its own, and what a worker would do to its orders. */
export interface ReferenceWorld extends FulfillmentWorld {
  deps: ApiDependencies;
  send(method: string, path: string, call?: Call): Promise<Answer>;
  get(path: string): Promise<Answer>;
  /** As the reference's web client does: JSON that is called text. */
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Another API on the same database, its settings or parts changed; closed with the world. */
  another(settings: Record<string, string>, parts?: Partial<ApiDependencies>): Promise<FastifyInstance>;
  /** Takes an order, charges it and books its shipments, as a worker does. */
  work(orderId: string): Promise<void>;
  /** The records an order has on the way to input topics, decoded. */
  posted(orderId: string): Promise<{ topic: string; value: Record<string, unknown> }[]>;
}

const TYPE = { 'content-type': 'text/plain;charset=UTF-8' };

export async function createReferenceWorld(options: FulfillmentWorldOptions = {}): Promise<ReferenceWorld> {
  const world = await createFulfillmentWorld({
    strategy: referenceRule,
    ...options,
    pricing: { fallback: 'reference', ...options.pricing },
  });
  const { db, prefix, encoder, activities } = world;
  const environment = { ...testEnvironment(), OMS_PREFIX: prefix, OMS_PRICE_FALLBACK: 'reference' };
  const config = loadConfig(environment);
  const resources = roleResources('api', config, silent);
  const codec = await resources.codec();
  await codec.load();
  const temporal = await resources.temporal();
  const feed = createFeed({ db, logger: silent });
  const deps: ApiDependencies = {
    ...{ config, db, codec, encoder, feed, logger: silent },
    metrics: createMetrics('api'),
    posting: { codec, prefix, source: config.OMS_API_SOURCE },
    payment: createPaymentSimulator({ db, latencyMs: 0, faults: options.payment ?? [] }),
    queues: createQueueReader(temporal.client, prefix + ORDERS_TASK_QUEUE),
    client: temporal.client,
    redriver: createRedriver(resources),
    lag: joinLagReaders([]),
  };
  const app = await createApp(deps);
  const others: FastifyInstance[] = [];
  const send: ReferenceWorld['send'] = (method, path, call) => inject(app, method, path, call);
  return {
    ...world,
    deps,
    send,
    get: (path) => send('GET', path),
    post: (path, body, headers = {}) =>
      send(
        'POST',
        path,
        body === undefined ? { headers } : { body: JSON.stringify(body), headers: { ...TYPE, ...headers } },
      ),
    another: async (settings, parts = {}) => {
      const own = { config: loadConfig({ ...environment, ...settings }), metrics: createMetrics('api') };
      const other = await createApp({ ...deps, ...own, ...parts });
      others.push(other);
      return other;
    },
    work: async (orderId) => {
      const { fulfillments } = await activities.takeOrder(orderId, 'run').then(progressOf);
      const ids = fulfillments.filter(({ status }) => status === 'pending').map(({ id }) => id);
      await activities.chargeFulfillments(orderId, ids);
      await activities.bookShipments(orderId, ids);
    },
    posted: async (orderId) => {
      const rows = await db.selectFrom('outbox').selectAll().where('order_id', '=', orderId).orderBy('id').execute();
      const topics = topicNames(prefix);
      const own = rows.filter(({ topic }) => topic === 'orders' || topic === 'carrier-updates');
      const decoded = own.map(async ({ topic, value }) => {
        const [event] = await codec.decodeBatch(topics[topic as 'orders'], [value]);
        if (event?.kind !== 'event') throw new Error(`a record for ${topic} does not decode`);
        return { topic, value: event.value as Record<string, unknown> };
      });
      return Promise.all(decoded);
    },
    drop: async () => {
      await Promise.all([app, ...others].map((one) => one.close()));
      await Promise.all([feed.stop(), resources.close()]);
      await world.drop();
    },
  };
}

type Taken = Awaited<ReturnType<FulfillmentWorld['activities']['takeOrder']>>;

function progressOf(taken: Taken): Exclude<Taken, 'fenced'> {
  if (taken === 'fenced') throw new Error("the order is another run's");
  return taken;
}

/** Sends a request as it stands: without a content type unless one is given. */
export async function inject(
  app: FastifyInstance,
  method: string,
  url: string,
  { body, headers = {} }: Call = {},
): Promise<Answer> {
  const payload = body === undefined ? {} : { payload: Buffer.from(body) };
  const answer = await app.inject({ method: method as 'GET', url, headers, ...payload });
  const isJson = answer.headers['content-type'] === 'application/json' && answer.body !== '';
  const json: unknown = isJson ? answer.json() : undefined;
  return { status: answer.statusCode, headers: answer.headers, text: answer.body, json };
}
