import type { ActivityName } from '../../domain/contract.ts';
import { createBook } from './book.ts';
import { createCarrierActivities } from './carrier.ts';
import { createCharge } from './charge.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { localStep, providerStep } from './failures.ts';
import { createOrderActivities } from './order.ts';
import { createPaymentActivities } from './payment.ts';
import { createQuickActivities } from './fulfil.ts';

/**
 * The activities of the order workflow. Each answers how far the order is, read from the database in the same
 * transaction, and each is safe to run twice.
 */
export function createActivities(deps: ActivityDependencies) {
  const charge = createCharge(deps);
  const book = createBook(deps);
  return {
    ...localStep(deps, createOrderActivities(deps)),
    ...providerStep(deps, createPaymentActivities(deps, charge)),
    ...providerStep(deps, createCarrierActivities(deps, book)),
    ...providerStep(deps, createQuickActivities({ charge, book, logger: deps.logger })),
  } satisfies Record<ActivityName, unknown>;
}

/** What the workflow sees of the activities. */
export type Activities = ReturnType<typeof createActivities>;
