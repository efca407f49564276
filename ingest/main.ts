import { createEventEncoder } from '../database/outbox/outbox.ts';
import { noStep } from '../orders/intake/step.ts';
import type { OnStep } from '../orders/intake/step.ts';
import { checkOf, waitForAll } from '../platform/dependencies.ts';
import { every } from '../platform/every.ts';
import type { Check } from '../platform/health.ts';
import type { RoleContext, RunningRole } from '../platform/role.ts';
import { carrierPushes } from '../resources/providers.ts';
import type { Resources } from '../resources/resources.ts';
import { createCarrierNews } from './carrier/main.ts';
import type { CarrierNewsOptions, CarrierNewsWays } from './carrier/main.ts';
import { kafkaFault, progressFault } from './health.ts';
import { createIngestGauges } from './metrics.ts';
import { createEngine } from './orders/main.ts';
import type { Engine } from './orders/main.ts';
import { createParts } from './parts.ts';
import type { Parts } from './parts.ts';
import { createStockLoop } from './stock/main.ts';

export interface IngestOptions {
  /** Lets tests end it between two steps. */
  onStep?: OnStep;
  /** How long the group waits for an ingest that was killed before others take over. @default 15 s */
  sessionTimeoutMs?: number;
}

const SESSION_TIMEOUT_MS = 15_000;

/**
 * The ingest role: order events become running workflows, the carrier's news become order state, and levels become
 * stock and prices. It comes up at once and waits for what it depends on, as its readiness says.
 */
export async function startIngestRole(
  context: RoleContext,
  resources: Resources,
  { onStep = noStep, sessionTimeoutMs = SESSION_TIMEOUT_MS }: IngestOptions = {},
): Promise<RunningRole> {
  const parts = await createParts(context, resources);
  const onCrash = (error: unknown): void => context.shutdown.fail('the consumer crashed', error);
  const engine = createEngine({
    ...context,
    ...parts,
    client: parts.temporal.client,
    onStep,
    sessionTimeoutMs,
    onCrash,
  });
  const stock = createStockLoop({ ...context, ...parts, counters: engine.metrics, sessionTimeoutMs, onCrash });
  createIngestGauges({ metrics: context.metrics, db: parts.db, lag: parts.lag, loop: engine.loop });
  const carrier = createCarrier(context, parts, { counters: engine.metrics, sessionTimeoutMs, onCrash });
  const work = beginWork(context, parts, engine, [stock, carrier]);
  return {
    live: {
      progress: () => progressFault(engine.loop.health()),
      stock: () => progressFault(stock.health()),
      ...carrier.live,
    },
    ready: {
      ...readiness(parts, engine),
      stock: () => kafkaFault(stock.health()) ?? stock.health().pausedReason ?? null,
      ...carrier.ready,
      ...work.ready,
    },
    stop: async () => {
      await work.stop();
      await parts.close();
    },
  };
}

function readiness(parts: Parts, { loop }: Engine): Record<string, Check> {
  return {
    kafka: () => kafkaFault(loop.health()),
    database: checkOf(parts.answers.database),
    temporal: checkOf(parts.answers.temporal),
    registry: checkOf(parts.answers.registry),
    progress: () => loop.health().pausedReason ?? null,
  };
}

interface Work {
  ready: Record<string, Check>;
  stop(): Promise<void>;
}

/** A way in beside the orders' own. */
interface Way {
  start(): Promise<void>;
  stop(options: { graceMs: number }): Promise<void>;
}

/** Waits for what ingest needs, then runs the loop, the sweeper and the other ways in until stopped. */
function beginWork(context: RoleContext, parts: Parts, engine: Engine, ways: readonly Way[]): Work {
  const stopping = new AbortController();
  let waiting: Record<string, string> = {};
  let sweeps: { stop(): Promise<void> } | undefined;
  const begin = async (): Promise<void> => {
    await waitForAll(parts.needs, context.logger, stopping.signal, (now) => (waiting = now));
    if (!stopping.signal.aborted) await parts.reportRetention();
    // What is started after the stop is stopped by nobody.
    if (stopping.signal.aborted) return;
    await Promise.all([engine.loop, ...ways].map((one) => one.start()));
    if (stopping.signal.aborted) return;
    sweeps = startSweeps(context, engine);
  };
  const begun = begin().catch((error: unknown) => {
    if (!stopping.signal.aborted) context.shutdown.fail('ingest could not start', error);
  });
  return {
    ready: { start: () => Object.values(waiting).join('; ') || null },
    stop: async () => {
      stopping.abort(new Error('stopping'));
      const graceMs = context.config.OMS_SHUTDOWN_GRACE / 2;
      await Promise.all([engine.loop, ...ways].map((one) => one.stop({ graceMs })));
      await begun;
      await sweeps?.stop();
    },
  };
}

function createCarrier(
  { config, logger, metrics }: RoleContext,
  { db, codec, publisher, connection, temporal }: Parts,
  rest: Pick<CarrierNewsOptions, 'counters' | 'sessionTimeoutMs' | 'onCrash'>,
): CarrierNewsWays {
  const encoder = createEventEncoder({ codec, prefix: config.OMS_PREFIX });
  const parts = { db, codec, publisher, connection, temporal: temporal.client };
  const pushes = carrierPushes(config, logger);
  return createCarrierNews({ config, logger, metrics, encoder, pushes, ...parts, ...rest });
}

function startSweeps({ config, logger }: RoleContext, engine: Engine): { stop(): Promise<void> } {
  return every(config.OMS_SWEEP_INTERVAL, async (signal) => {
    try {
      const sweep = await engine.sweep(signal);
      if (sweep.overdue + sweep.caughtUp + sweep.resent > 0) logger.info(sweep, 'swept');
    } catch (err) {
      if (!signal.aborted) logger.warn({ err }, 'sweep not finished, trying again later');
    }
  });
}
