import type { FastifyInstance } from 'fastify';
import { closeApp, createApp } from '../../api/app.ts';
import { createRedriver } from '../../api/commands/redrive-once.ts';
import type { ApiDependencies } from '../../api/dependencies.ts';
import { createFeed } from '../../api/feed.ts';
import { createEventEncoder } from '../../database/outbox/outbox.ts';
import { loadConfig } from '../../platform/config/load.ts';
import { createMetrics } from '../../platform/metrics.ts';
import { roleResources } from '../../resources/profiles.ts';
import { silent } from './order-world.ts';
import { testEnvironment } from './stack.ts';

/** The HTTP API in this process, listening, on a database that is there. */
export interface ApiHere {
  app: FastifyInstance;
  /** `http://127.0.0.1:<port>` */
  url: string;
  close(): Promise<void>;
}

const GRACE_MS = 10_000;

/** The registry must know the prefix's subjects. Temporal and Kafka are asked for nothing. */
export async function startApiHere(
  world: { url: string; prefix: string },
  settings: Record<string, string> = {},
): Promise<ApiHere> {
  const { prefix } = world;
  const config = loadConfig({ ...testEnvironment(), DATABASE_URL: world.url, OMS_PREFIX: prefix, ...settings });
  const resources = roleResources('api', config, silent);
  const [db, codec] = [await resources.database(), await resources.codec()];
  await codec.load();
  const feed = createFeed({ db, logger: silent });
  const [providers, temporal] = [await resources.providers(), await resources.temporal()];
  const deps: ApiDependencies = {
    ...{ config, db, codec, feed, payment: providers.payment, logger: silent, metrics: createMetrics('api') },
    encoder: createEventEncoder({ codec, prefix }),
    posting: { codec, prefix, source: config.OMS_API_SOURCE },
    queues: { read: () => Promise.resolve({ workers: 0, backlog: 0 }) },
    client: temporal.client,
    redriver: createRedriver(resources),
    lag: { read: () => Promise.resolve([]) },
  };
  const app = await createApp(deps);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    app,
    url,
    close: async () => {
      await closeApp(app, GRACE_MS);
      await feed.stop();
      await resources.close();
    },
  };
}
