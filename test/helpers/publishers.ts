import { startPublisherRole } from '../../outbox/main.ts';
import { loadConfig } from '../../platform/config/load.ts';
import { createMetrics } from '../../platform/metrics.ts';
import type { Registry } from '../../platform/metrics.ts';
import type { RunningRole } from '../../platform/role.ts';
import { startUnguarded } from '../../resources/run-role.ts';
import { logger } from './outbox-world.ts';
import type { OutboxWorld } from './outbox-world.ts';
import { spawnScript } from './spawned.ts';

/** A publisher in this process. */
export async function startPublisher(
  world: OutboxWorld,
  settings: Record<string, string> = {},
): Promise<RunningRole & { metrics: Registry }> {
  const config = loadConfig({ ...world.environment, ...settings });
  const metrics = createMetrics('publisher');
  const shutdown = { requested: new Promise<string>(() => undefined), fail: () => undefined, exitCode: () => 0 };
  const role = await startUnguarded('publisher', startPublisherRole, { config, logger, metrics, shutdown });
  return { ...role, metrics };
}

export interface PublisherProcess {
  pid: number;
  /** Resolves when it has ended, however. */
  gone: Promise<string>;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<string>;
}

/** A publisher in a process of its own. */
export function spawnPublisher(
  world: Pick<OutboxWorld, 'environment'>,
  settings: Record<string, string> = {},
): PublisherProcess {
  const spawned = spawnScript('publisher-process.ts', { ...world.environment, LOG_LEVEL: 'fatal', ...settings });
  return {
    pid: spawned.pid,
    gone: spawned.gone,
    kill: async () => void (await spawned.end('SIGKILL')),
    stop: () => spawned.end('SIGTERM'),
  };
}
