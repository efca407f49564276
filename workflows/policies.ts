import { ActivityCancellationType, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { Activities } from '../workers/activities/index.ts';

/**
 * Every timeout and retry of the order workflow.
 *
 * Steps of our own database are local activities: short, safe to lose, and asked for again by the re-executed workflow.
 * Past the threshold a retry waits on a server timer, so that a long outage frees the slot.
 */
export const own = proxyLocalActivities<Activities>({
  startToCloseTimeout: '2 seconds',
  localRetryThreshold: '2 seconds',
  retry: { initialInterval: '100 milliseconds', backoffCoefficient: 2, maximumInterval: '60 seconds' },
});

/**
 * The first attempt at the providers, as a local activity: most answer in time, and then no round trip to Temporal is
 * needed. Safe to lose like any local step, because the intent is in the database before each call, and what is undone
 * is what the database and the provider know of. One attempt: a provider that is slow or away is left to `provider`.
 */
export const quick = proxyLocalActivities<Activities>({
  startToCloseTimeout: '3 seconds',
  retry: { maximumAttempts: 1 },
  cancellationType: ActivityCancellationType.TRY_CANCEL,
});

/**
 * Steps that call a provider are normal activities: in the history before they act, tried again without limit. A provider
 * that is away delays an order and never fails it. Cancelling one does not wait for it: what it still brings about finds
 * the order's state changed, or is undone.
 */
export const provider = proxyActivities<Activities>({
  startToCloseTimeout: '60 seconds',
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '60 seconds' },
  cancellationType: ActivityCancellationType.TRY_CANCEL,
});
