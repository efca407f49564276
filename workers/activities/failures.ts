import { ApplicationFailure, asyncLocalStorage } from '@temporalio/activity';
import { databaseError } from '../../database/database.ts';
import { isOmsError } from '../../domain/errors.ts';
import type { Logger } from '../../platform/logger.ts';

/** The type of a failure that is none of the error table's: a bug. */
const BUG = 'Bug';

interface Reporting {
  logger: Logger;
  onFailure?: (activity: string, code: string) => void;
}

// Parameters differ from function to function; what goes in comes out with the same type.
type Step = (...args: never[]) => Promise<unknown>;

/**
 * Steps against our own database, run as local activities. The environment's failures are tried again; anything else is
 * a bug, goes through to the workflow at once and stops its task there: visible, and gone with the next release.
 */
export function localStep<T extends Record<string, Step>>(reporting: Reporting, steps: T): T {
  return wrapped(reporting, steps, (retryable) => !retryable);
}

/** How often a provider step tells the server that it is still at work; well below its heartbeat timeout, ms. */
const HEARTBEAT_MS = 3_000;

/**
 * Steps that call a provider, run as normal activities: every failure is tried again, a bug until it is mended. They send
 * heartbeats, so that one that died with its worker, or never reached it, is given out again long before its time is over.
 */
export function providerStep<T extends Record<string, Step>>(reporting: Reporting, steps: T): T {
  return wrapped(reporting, beating(steps), () => false);
}

function beating<T extends Record<string, Step>>(steps: T): T {
  const entries = Object.entries(steps).map(([name, step]) => {
    const run = async (...args: never[]): Promise<unknown> => {
      // No context outside of an activity: a step may be called as a plain function, too.
      const context = asyncLocalStorage.getStore();
      const timer = context && setInterval(() => context.heartbeat(), HEARTBEAT_MS);
      try {
        return await step(...args);
      } finally {
        clearInterval(timer);
      }
    };
    return [name, run];
  });
  return Object.fromEntries(entries) as T;
}

function wrapped<T extends Record<string, Step>>(
  reporting: Reporting,
  steps: T,
  isFinal: (retryable: boolean) => boolean,
): T {
  const entries = Object.entries(steps).map(([name, step]) => {
    const run = async (...args: never[]): Promise<unknown> => {
      try {
        return await step(...args);
      } catch (error) {
        throw report(reporting, name, databaseError(error), isFinal);
      }
    };
    return [name, run];
  });
  return Object.fromEntries(entries) as T;
}

function report(
  { logger, onFailure }: Reporting,
  activity: string,
  error: unknown,
  isFinal: (retryable: boolean) => boolean,
): ApplicationFailure {
  const type = isOmsError(error) ? error.code : BUG;
  const retryable = isOmsError(error) && error.retryable;
  logger[retryable ? 'warn' : 'error']({ activity, code: type, err: error }, 'activity failed');
  onFailure?.(activity, type);
  const message = error instanceof Error ? error.message : String(error);
  return ApplicationFailure.create({ message, type, nonRetryable: isFinal(retryable) });
}
