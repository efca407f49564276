import type { AllocationStrategy } from '../../domain/allocation.ts';
import type { Pricing } from '../../domain/invoice.ts';
import type { StepDependencies } from '../../database/orders/step.ts';
import type { Logger } from '../../platform/logger.ts';
import type { CarrierProvider } from '../../providers/carrier/port.ts';
import type { PaymentProvider } from '../../providers/payment/port.ts';
import { createCarrierActivities } from './carrier.ts';
import { localStep, providerStep } from './failures.ts';
import { createOrderActivities } from './order.ts';
import { createPaymentActivities } from './payment.ts';

/** What the activities work with. */
export interface ActivityDependencies extends StepDependencies {
  payment: PaymentProvider;
  carrier: CarrierProvider;
  pricing: Pricing;
  logger: Logger;
  /** How orders are split by warehouse. @default fewest shipments */
  strategy?: AllocationStrategy;
  /** Told of every attempt that failed. */
  onFailure?: (activity: string, code: string) => void;
}

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
