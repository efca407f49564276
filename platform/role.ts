import type { Config } from './config/settings.ts';
import type { Check } from './health.ts';
import { startHealth } from './health.ts';
import { createLogger } from './logger.ts';
import type { Logger } from './logger.ts';
import { createMetrics } from './metrics.ts';
import type { Registry } from './metrics.ts';
import { createShutdown } from './shutdown.ts';
import type { Shutdown } from './shutdown.ts';

/** What a role is given to build itself from. */
export interface RoleContext {
  config: Config;
  logger: Logger;
  metrics: Registry;
  shutdown: Shutdown;
}

/** A running role: its checks, and how it ends (drain, commit, disconnect). */
export interface RunningRole {
  live: Record<string, Check>;
  ready: Record<string, Check>;
  stop(): Promise<void>;
}

export interface ProcessOptions {
  name: string;
  config: Config;
  port: number;
  start(context: RoleContext): Promise<RunningRole>;
}

/**
 * Runs a role until it is asked to stop: start, health ports, wait, drain. Resolves with the exit code. Nothing looks at the
 * role's environment before: that is `runRole` of resources/.
 */
export async function runProcess(options: ProcessOptions): Promise<number> {
  const { config } = options;
  const logger = createLogger({ role: options.name, level: config.LOG_LEVEL });
  const metrics = createMetrics(options.name);
  const shutdown = createShutdown({ logger, graceMs: config.OMS_SHUTDOWN_GRACE });
  let draining = false;
  const role = await options.start({ config, logger, metrics, shutdown });
  const health = await startHealth({
    host: config.OMS_BIND,
    port: options.port,
    metrics,
    live: role.live,
    ready: { ...role.ready, draining: () => (draining ? 'the role is stopping' : null) },
  });
  logger.info({ url: health.url }, 'role ready');
  const reason = await shutdown.requested;
  draining = true;
  logger.info({ reason }, 'role stopping');
  await role.stop();
  await health.close();
  logger.info({ exitCode: shutdown.exitCode() }, 'role stopped');
  return shutdown.exitCode();
}
