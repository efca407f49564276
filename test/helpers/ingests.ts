import { startIngestRole } from '../../ingest/main.ts';
import type { IngestStep, OnStep } from '../../orders/intake/step.ts';
import { loadConfig } from '../../platform/config/load.ts';
import { createMetrics } from '../../platform/metrics.ts';
import type { RunningRole } from '../../platform/role.ts';
import { startUnguarded } from '../../resources/run-role.ts';
import type { IngestWorld } from './ingest-world.ts';
import { silent } from './order-world.ts';
import { spawnScript } from './spawned.ts';

/** Ingest in this process. */
export interface IngestHere extends RunningRole {
  /** Records by outcome so far. */
  outcomes(): Promise<Record<string, number>>;
  metricsText(): Promise<string>;
  /** What it reported as fatal. */
  failures: string[];
}

export async function startIngest(
  world: IngestWorld,
  { settings = {}, onStep }: { settings?: Record<string, string>; onStep?: OnStep } = {},
): Promise<IngestHere> {
  const config = loadConfig({ ...world.environment, ...settings });
  const metrics = createMetrics('ingest');
  const failures: string[] = [];
  const fail = (reason: string): void => void failures.push(reason);
  const shutdown = { requested: new Promise<string>(() => undefined), fail, exitCode: () => failures.length };
  const role = await startUnguarded(
    'ingest',
    (context, resources) => startIngestRole(context, resources, { onStep, sessionTimeoutMs: 6_000 }),
    { config, logger: silent, metrics, shutdown },
  );
  return {
    ...role,
    failures,
    metricsText: () => metrics.metrics(),
    outcomes: async () => {
      const found = await metrics.getSingleMetric('oms_ingest_records_total')?.get();
      return Object.fromEntries(found?.values.map(({ labels, value }) => [labels.outcome, value]) ?? []) as Record<
        string,
        number
      >;
    },
  };
}

export interface IngestProcess {
  /** Resolves with the signal that ended it, or its exit code. */
  gone: Promise<string>;
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<string>;
  /** What it has logged so far. */
  log(): string;
}

/** Ingest in a process of its own, which may kill itself at the end of a step, the n-th time. */
export function spawnIngest(
  world: IngestWorld,
  options: { killAt?: IngestStep; times?: number; settings?: Record<string, string> } = {},
): IngestProcess {
  const { killAt, times = 1, settings = {} } = options;
  const kill = killAt ? { OMS_TEST_KILL_AT: `${killAt}:${times}` } : {};
  const ingest = spawnScript('ingest-process.ts', {
    ...world.environment,
    LOG_LEVEL: 'info',
    ...settings,
    ...kill,
  });
  return {
    log: () => ingest.log(),
    gone: ingest.gone,
    kill: async () => void (await ingest.end('SIGKILL')),
    stop: () => ingest.end('SIGTERM'),
  };
}
