import { createCarrierActivities } from './carrier.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { localStep, providerStep } from './failures.ts';
import { createOrderActivities } from './order.ts';
import { createPaymentActivities } from './payment.ts';
import { quickAttempt } from './quick.ts';

/**
 * The activities of the order workflow. Each answers how far the order is, read from the database in the same
 * transaction, and each is safe to run twice.
 */
export function createActivities(deps: ActivityDependencies) {
  const payment = createPaymentActivities(deps);
  const carrier = createCarrierActivities(deps);
  return {
    ...localStep(deps, createOrderActivities(deps)),
    ...providerStep(deps, payment),
    ...providerStep(deps, carrier),
    ...providerStep(deps, {
      tryChargeFulfillments: quickAttempt((...args) => payment.chargeFulfillments(...args), 'OMS_PAYMENT_UNAVAILABLE'),
      tryBookShipments: quickAttempt((...args) => carrier.bookShipments(...args), 'OMS_CARRIER_UNAVAILABLE'),
    }),
  };
}

/** What the workflow sees of the activities. */
export type Activities = ReturnType<typeof createActivities>;
