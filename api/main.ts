import { sql } from 'kysely';
import { openDatabase } from '../database/database.ts';
import { forgetAnswers } from '../database/http-requests.ts';
import { assertMigrated } from '../database/migrate.ts';
import { createEventEncoder } from '../database/outbox/outbox.ts';
import { ORDERS_TASK_QUEUE } from '../domain/contract.ts';
import { OPEN_CHARGE } from '../domain/provider-policies.ts';
import { createKafka } from '../kafka/client/client.ts';
import { kafkaConnection } from '../kafka/client/connection.ts';
import { createCodec } from '../kafka/codec/codec.ts';
import { createRegistry } from '../kafka/codec/registry.ts';
import { createLagReader, joinLagReaders } from '../kafka/consumer/lag.ts';
import type { LagReader } from '../kafka/consumer/lag.ts';
import { groupName, topicNames, topicSchemas } from '../kafka/topics.ts';
import { checkOf, waitForAll } from '../platform/dependencies.ts';
import { every } from '../platform/every.ts';
import type { RoleContext, RunningRole } from '../platform/role.ts';
import { openProviders } from '../resources/providers.ts';
import { openTemporal } from '../temporal/client.ts';
import { closeApp, createApp } from './app.ts';
import { settleCharges } from './commands/charge.ts';
import type { ApiDependencies } from './dependencies.ts';
import { createFeed } from './feed.ts';
import { createQueueReader } from './queue-stats.ts';
import { createRedriver } from './redriver.ts';

/** How often answers that are too old are forgotten. */
const FORGET_EVERY_MS = 10 * 60_000;
/** Requests under way may take so long a part of the shutdown grace. */
const DRAIN_SHARE = 0.5;

/**
 * The api role: the HTTP API. It needs PostgreSQL, and the registry until it has read the schemas' ids once; Temporal and
 * Kafka are only asked for figures. So orders are taken in while those are away, and go on when they are back.
 */
export async function startApiRole(context: RoleContext): Promise<RunningRole> {
  const { config, logger } = context;
  const parts = openParts(context);
  const app = await createApp(parts.deps);
  const stopping = new AbortController();
  let waiting: Record<string, string> = { start: 'not begun' };
  let draining = false;
  const begun = waitForAll(parts.needs, logger, stopping.signal, (now) => (waiting = now)).then(async () => {
    if (stopping.signal.aborted) return;
    const url = await app.listen({ host: config.OMS_BIND, port: config.OMS_API_PORT });
    logger.info({ url }, 'api listening');
  });
  begun.catch((error: unknown) => context.shutdown.fail('the api could not start', error));
  const { deps } = parts;
  const settling = every(OPEN_CHARGE.lookEveryMs, async () => {
    await settleCharges(deps, config.OMS_PAYMENT_TIMEOUT * OPEN_CHARGE.settledAfterTimeLimits).catch((err: unknown) => {
      logger.warn({ err }, 'charges not settled, later');
    });
  });
  const forgetting = every(FORGET_EVERY_MS, async () => {
    await forgetAnswers(deps.db, config.OMS_API_ANSWERS_KEPT).catch(() => 0);
  });
  return {
    live: {},
    ready: {
      start: () => Object.values(waiting).join('; ') || null,
      database: checkOf(() => sql`select 1`.execute(parts.deps.db)),
      listening: () => (app.server.listening && !draining ? null : 'not listening'),
    },
    stop: async () => {
      draining = true;
      stopping.abort(new Error('stopping'));
      await begun.catch(() => undefined);
      await closeApp(app, config.OMS_SHUTDOWN_GRACE * DRAIN_SHARE);
      await Promise.all([forgetting.stop(), settling.stop()]);
      await parts.close();
    },
  };
}

interface Parts {
  deps: ApiDependencies;
  needs: Record<string, () => Promise<unknown>>;
  close(): Promise<void>;
}

function openParts({ config, logger, metrics }: RoleContext): Parts {
  const { OMS_PREFIX: prefix } = config;
  const applicationName = 'oms-api';
  const db = openDatabase({ url: config.DATABASE_URL, poolSize: config.OMS_DATABASE_POOL, applicationName });
  const registry = createRegistry({ url: config.SCHEMA_REGISTRY_URL });
  const codec = createCodec({ registry, schemas: topicSchemas(prefix) });
  const temporal = openTemporal(config);
  const providers = openProviders(config);
  const feed = createFeed({ db, logger });
  const { lag, close: closeLag } = openLag({ config, logger });
  const deps: ApiDependencies = {
    ...{ config, logger, metrics, db, codec, feed, lag },
    encoder: createEventEncoder({ codec, prefix }),
    posting: { codec, prefix, source: config.OMS_API_SOURCE },
    payment: providers.payment,
    queues: createQueueReader(temporal.client, prefix + ORDERS_TASK_QUEUE),
    client: temporal.client,
    redriver: createRedriver({ connection: kafkaConnection(config, 'api', logger), prefix }),
  };
  return {
    deps,
    needs: { database: () => assertMigrated(db), registry: () => codec.load() },
    close: async () => {
      await feed.stop();
      await Promise.allSettled([temporal.close(), closeLag(), providers.close()]);
      await db.destroy();
    },
  };
}

/** Connects when it is first asked; while Kafka is away it says so soon. */
function openLag({ config, logger }: Pick<RoleContext, 'config' | 'logger'>) {
  const admin = createKafka({ ...kafkaConnection(config, 'api', logger), retries: 1, patienceMs: 3_000 }).admin();
  const names = topicNames(config.OMS_PREFIX);
  const lagOf = (group: string, topic: string) =>
    createLagReader({ admin, groupId: groupName(config.OMS_PREFIX, group), topics: [topic] });
  const joined = joinLagReaders([
    lagOf('ingest', names.orders),
    lagOf('stock', names['stock-levels']),
    lagOf('carrier', names['carrier-updates']),
  ]);
  let connected: Promise<void> | undefined;
  const connect = (): Promise<void> => {
    connected ??= admin.connect().catch((error: unknown) => {
      connected = undefined;
      throw error;
    });
    return connected;
  };
  const lag: LagReader = {
    read: async () => {
      await connect();
      return joined.read();
    },
  };
  return { lag, close: () => admin.disconnect() };
}
