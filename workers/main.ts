import type { NativeConnection, Worker } from '@temporalio/worker';
import type { Database } from '../database/database.ts';
import { assertMigrated } from '../database/migrate.ts';
import { createEventEncoder } from '../database/outbox/outbox.ts';
import { ALLOCATION_STRATEGIES } from '../domain/allocation.ts';
import type { Codec } from '../kafka/codec/codec.ts';
import { topicNames } from '../kafka/topics.ts';
import { pricingRules } from '../platform/config/pricing-rules.ts';
import { checkOf, waitForAll } from '../platform/dependencies.ts';
import type { Probe } from '../platform/dependencies.ts';
import type { RoleContext, RunningRole } from '../platform/role.ts';
import type { Providers } from '../resources/providers.ts';
import type { Resources } from '../resources/resources.ts';
import { checkNamespace } from '../temporal/worker-connection.ts';
import { createActivities } from './activities/index.ts';
import { createWorkerMetrics } from './metrics.ts';
import { createOrderWorker, createStopwatch, givenBundle, installRuntime } from './worker.ts';
import type { Stopwatch } from './worker.ts';

/** Workflow code takes milliseconds; what has not returned after so long never will. */
const STUCK_MS = 30_000;

/** What is kept of the shutdown grace for closing connections after the last activity, ms. */
const CLOSING_MS = 5_000;

/** The worker role: runs the order workflow and its activities. It comes up at once and says what it still waits for. */
export async function startWorkerRole(context: RoleContext, resources: Resources): Promise<RunningRole> {
  installRuntime(context.logger);
  const parts = await createParts(context, resources);
  const stopping = new AbortController();
  const running = run(context, parts, stopping.signal).catch((error: unknown) => {
    context.shutdown.fail('worker failed', error);
  });
  const stuck = (): string | null => (parts.stopwatch.oldestMs() > STUCK_MS ? 'workflow code does not return' : null);
  return {
    live: { workflows: stuck },
    ready: {
      temporal: checkOf(parts.probes.temporal),
      database: checkOf(parts.probes.database),
      registry: () => parts.waiting.registry ?? null,
      worker: () => (parts.worker?.getState() === 'RUNNING' ? null : 'the worker does not poll yet'),
    },
    stop: async () => {
      stopping.abort();
      if (parts.worker?.getState() === 'RUNNING') parts.worker.shutdown();
      await running;
    },
  };
}

interface Parts {
  db: Database;
  codec: Codec;
  providers: Providers;
  connection?: NativeConnection;
  worker?: Worker;
  /** Of the calls into workflow code. */
  stopwatch: Stopwatch;
  /** What it still waits for, by name. */
  waiting: Record<string, string>;
  probes: Record<'temporal' | 'database' | 'registry', Probe>;
}

async function createParts({ config }: RoleContext, resources: Resources): Promise<Parts> {
  const [db, codec, providers] = [await resources.database(), await resources.codec(), await resources.providers()];
  const topics = topicNames(config.OMS_PREFIX);
  const told = [topics.shipments, topics.invoices, topics.deliveries, topics['order-status']];
  const parts: Parts = {
    ...{ db, codec, providers },
    stopwatch: createStopwatch(),
    waiting: { registry: 'not asked yet' },
    probes: {
      temporal: async () => {
        parts.connection = await resources.workerConnection();
        await checkNamespace(parts.connection, config.TEMPORAL_NAMESPACE);
      },
      database: () => assertMigrated(db),
      registry: () => codec.load(told),
    },
  };
  return parts;
}

async function run(context: RoleContext, parts: Parts, signal: AbortSignal): Promise<void> {
  await waitForAll(parts.probes, context.logger, signal, (waiting) => void (parts.waiting = waiting));
  if (signal.aborted || !parts.connection) return;
  parts.worker = await build(context, parts, parts.connection);
  if (!signal.aborted) await parts.worker.run();
}

async function build(context: RoleContext, parts: Parts, connection: NativeConnection): Promise<Worker> {
  const { config, logger, metrics } = context;
  const { db, codec, providers } = parts;
  const measured = createWorkerMetrics(metrics, db);
  const activities = createActivities({
    db,
    encoder: createEventEncoder({ codec, prefix: config.OMS_PREFIX }),
    payment: providers.payment,
    carrier: providers.carrier,
    strategy: ALLOCATION_STRATEGIES[config.OMS_ALLOCATION],
    paymentMode: config.OMS_PAYMENT_MODE,
    pricing: pricingRules(config),
    logger,
    retryLimitMs: {
      OMS_PAYMENT_UNAVAILABLE: config.OMS_PAYMENT_RETRY_MAX_INTERVAL,
      OMS_CARRIER_UNAVAILABLE: config.OMS_CARRIER_RETRY_MAX_INTERVAL,
    },
    onFailure: measured.activityFailed,
  });
  return createOrderWorker({
    connection,
    namespace: config.TEMPORAL_NAMESPACE,
    prefix: config.OMS_PREFIX,
    activities,
    stopwatch: parts.stopwatch,
    workflowBundle: await givenBundle(config.OMS_WORKFLOW_BUNDLE),
    slots: config.OMS_WORKER_SLOTS,
    poolSize: config.OMS_DATABASE_POOL,
    drainMs: Math.max(0, config.OMS_SHUTDOWN_GRACE - CLOSING_MS),
  });
}
