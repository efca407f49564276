import { DefaultLogger, Runtime, makeTelemetryFilterString } from '@temporalio/worker';
import type { LogEntry, LogLevel } from '@temporalio/worker';
import type { Logger } from '../platform/logger.ts';

const LEVELS: Readonly<Record<LogLevel, 'trace' | 'debug' | 'info' | 'warn' | 'error'>> = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
};

/**
 * Temporal's runtime, once a process: its log lines, and those of the workflows, go to ours. The role decides when to
 * stop, so the runtime itself listens to no signals.
 */
export function installRuntime(logger: Logger): void {
  const level = logger.isLevelEnabled('debug') ? 'DEBUG' : 'INFO';
  const write = ({ level: at, message, meta }: LogEntry): void => {
    const { error, ...rest } = meta ?? {};
    logger[LEVELS[at]]({ ...rest, ...(error === undefined ? {} : { err: error }) }, message);
  };
  Runtime.install({
    logger: new DefaultLogger(level, write),
    // Without forwarding, Temporal's core writes its own format to our standard output, between JSON lines.
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }), forward: {} } },
    shutdownSignals: [],
  });
}
