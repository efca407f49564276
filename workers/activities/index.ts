import { createCarrierActivities } from './carrier.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { localStep, providerStep } from './failures.ts';
import { createOrderActivities } from './order.ts';
import { createPaymentActivities } from './payment.ts';

/**
 * The activities of the order workflow. Each answers how far the order is, read from the database in the same
 * transaction, and each is safe to run twice.
 */
export function createActivities(deps: ActivityDependencies) {
  return {
    ...localStep(deps, createOrderActivities(deps)),
    ...providerStep(deps, createPaymentActivities(deps)),
    ...providerStep(deps, createCarrierActivities(deps)),
  };
}

/** What the workflow sees of the activities. */
export type Activities = ReturnType<typeof createActivities>;
