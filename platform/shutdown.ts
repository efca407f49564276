import { EXIT_CODES } from './exit-codes.ts';
import type { Logger } from './logger.ts';

/** Ctrl-C under npm arrives twice within milliseconds; only a later signal means "now". */
const SECOND_SIGNAL_AFTER_MS = 1_000;

export interface Shutdown {
  /** Resolves with the reason when the process is asked to stop. */
  readonly requested: Promise<string>;
  /** Asks the process to stop from inside: a fatal fault, exit code 1. */
  fail(reason: string, error?: unknown): void;
  readonly exitCode: () => number;
}

/**
 * Turns SIGTERM and SIGINT into one orderly end. A second signal 1 s or more after the first exits at once with code 1;
 * so does a stop that takes longer than `graceMs`.
 */
export function createShutdown(options: { logger: Logger; graceMs: number }): Shutdown {
  const { promise: requested, resolve } = Promise.withResolvers<string>();
  let firstAt: number | undefined;
  let code: number = EXIT_CODES.done;
  const stop = (reason: string): void => {
    const now = performance.now();
    if (firstAt === undefined) {
      firstAt = now;
      setTimeout(() => process.exit(EXIT_CODES.failed), options.graceMs).unref();
      resolve(reason);
    } else if (now - firstAt >= SECOND_SIGNAL_AFTER_MS) process.exit(EXIT_CODES.failed);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  const fail = (reason: string, error?: unknown): void => {
    options.logger.fatal({ err: error, reason }, 'role failed');
    code = EXIT_CODES.failed;
    stop(reason);
  };
  return { requested, fail, exitCode: () => code };
}
