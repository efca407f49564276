import { ActivityCancellationType, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import { FIRST_ATTEMPT, LOCAL_STEP, PROVIDER_STEP } from '../domain/provider-policies.ts';
import type { Activities } from '../workers/activities/index.ts';

const retryOf = (step: typeof LOCAL_STEP | typeof PROVIDER_STEP) => ({
  initialInterval: step.firstWaitMs,
  backoffCoefficient: step.backoff,
  maximumInterval: step.longestWaitMs,
});

/**
 * Steps of our own database are local activities: short, safe to lose, and asked for again by the re-executed workflow.
 * Past the threshold a retry waits on a server timer, so that a long outage frees the slot.
 */
export const own = proxyLocalActivities<Activities>({
  startToCloseTimeout: LOCAL_STEP.startToCloseMs,
  localRetryThreshold: LOCAL_STEP.serverTimerFromMs,
  retry: retryOf(LOCAL_STEP),
});

/**
 * The first attempt at the providers, as a local activity: most answer in time, and then no round trip to Temporal is
 * needed. Safe to lose like any local step, because the intent is in the database before each call, and what is undone
 * is what the database and the provider know of. One attempt: a provider that is slow or away is left to `provider`.
 */
export const quick = proxyLocalActivities<Activities>({
  startToCloseTimeout: FIRST_ATTEMPT.startToCloseMs,
  retry: { maximumAttempts: FIRST_ATTEMPT.attempts },
  cancellationType: ActivityCancellationType.TRY_CANCEL,
});

/**
 * Steps that call a provider are normal activities: in the history before they act, tried again without limit. A provider
 * that is away delays an order and never fails it. Cancelling one does not wait for it: what it still brings about finds
 * the order's state changed, or is undone.
 */
export const provider = proxyActivities<Activities>({
  startToCloseTimeout: PROVIDER_STEP.startToCloseMs,
  heartbeatTimeout: PROVIDER_STEP.heartbeatTimeoutMs,
  retry: retryOf(PROVIDER_STEP),
  cancellationType: ActivityCancellationType.TRY_CANCEL,
});
