import { ApplicationFailure, asyncLocalStorage } from '@temporalio/activity';
import { databaseError } from '../../database/database.ts';
import { isOmsError } from '../../domain/errors.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import { PROVIDER_STEP } from '../../domain/provider-policies.ts';
import type { Logger } from '../../platform/logger.ts';

/** The type of a failure that is none of the error table's: a bug. */
const BUG = 'Bug';

/** Longest wait between two attempts at a provider that is away, ms, by the code that says it is. */
export type RetryLimits = Partial<Record<ErrorCode, number>>;

interface Reporting {
  logger: Logger;
  onFailure?: (activity: string, code: string) => void;
  /** @default what the workflow's retry policy says */
  retryLimitMs?: RetryLimits;
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
      const timer = context && setInterval(() => context.heartbeat(), PROVIDER_STEP.heartbeatEveryMs);
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
  { logger, onFailure, retryLimitMs = {} }: Reporting,
  activity: string,
  error: unknown,
  isFinal: (retryable: boolean) => boolean,
): ApplicationFailure {
  const type = isOmsError(error) ? error.code : BUG;
  const retryable = isOmsError(error) && error.retryable;
  logger[retryable ? 'warn' : 'error']({ activity, code: type, err: error }, 'activity failed');
  onFailure?.(activity, type);
  const message = error instanceof Error ? error.message : String(error);
  const limitMs = isOmsError(error) ? retryLimitMs[error.code] : undefined;
  const wait = limitMs === undefined ? {} : { nextRetryDelay: waitBefore(nextAttempt(), limitMs) };
  return ApplicationFailure.create({ message, type, nonRetryable: isFinal(retryable), ...wait });
}

/**
 * How long to wait before an attempt (2, 3, …), ms. The activity says so rather than the workflow's policy, so that a
 * change of configuration reaches the orders that are waiting, and no history depends on it.
 */
export function waitBefore(attempt: number, limitMs: number): number {
  const { firstWaitMs, backoff } = PROVIDER_STEP;
  return Math.min(firstWaitMs * backoff ** Math.min(attempt - 2, MAX_DOUBLINGS), limitMs);
}

const MAX_DOUBLINGS = 30;

function nextAttempt(): number {
  return (asyncLocalStorage.getStore()?.info.attempt ?? 1) + 1;
}

/**
 * Asks a provider about several things at once. Returns the answers there are; what got none is left to a later attempt.
 * @throws the first failure when there is no answer at all
 */
export async function answersOf<I, A>(intents: readonly I[], ask: (intent: I) => Promise<A>): Promise<A[]> {
  const settled = await Promise.allSettled(intents.map(ask));
  const answers = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failed = settled.find((one) => one.status === 'rejected');
  if (failed && answers.length === 0) throw failed.reason;
  return answers;
}
