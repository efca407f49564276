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
 * Steps that call a provider are normal activities: in the history before they act, tried again without limit. A provider
 * that is away delays an order and never fails it. Cancelling one does not wait for it: what it still brings about finds
 * the order's state changed, or is undone.
 */
export const provider = proxyActivities<Activities>({
  startToCloseTimeout: '60 seconds',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '60 seconds' },
  cancellationType: ActivityCancellationType.TRY_CANCEL,
});
