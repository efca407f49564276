import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { startPublisherRole } from '../../outbox/main.ts';
import { loadConfig } from '../../platform/config/load.ts';
import { createMetrics } from '../../platform/metrics.ts';
import type { Registry } from '../../platform/metrics.ts';
import type { RunningRole } from '../../platform/role.ts';
import { logger } from './outbox-world.ts';
import type { OutboxWorld } from './outbox-world.ts';

const SCRIPT = fileURLToPath(new URL('./publisher-process.ts', import.meta.url));

/** A publisher in this process. */
export async function startPublisher(
  world: OutboxWorld,
  settings: Record<string, string> = {},
): Promise<RunningRole & { metrics: Registry }> {
  const config = loadConfig({ ...world.environment, ...settings });
  const metrics = createMetrics('publisher');
  const shutdown = { requested: new Promise<string>(() => undefined), fail: () => undefined, exitCode: () => 0 };
  const role = await startPublisherRole({ config, logger, metrics, shutdown });
  return { ...role, metrics };
}

export interface PublisherProcess {
  pid: number;
  /** Resolves when it has ended, however. */
  gone: Promise<unknown>;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
}

/** A publisher in a process of its own. What it logs as a warning goes to stderr. */
export function spawnPublisher(
  world: Pick<OutboxWorld, 'environment'>,
  settings: Record<string, string> = {},
): PublisherProcess {
  const env = { PATH: process.env.PATH, ...world.environment, LOG_LEVEL: 'fatal', ...settings };
  const child: ChildProcess = spawn(process.execPath, [SCRIPT], { env, stdio: ['pipe', 'ignore', 'inherit'] });
  const gone = once(child, 'exit');
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await gone;
    return child.exitCode;
  };
  return {
    pid: child.pid ?? 0,
    gone,
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
  };
}
