import { REASONS } from '../../domain/reasons.ts';
import type { OrderProgress } from '../../domain/progress.ts';
import { giveUp, moveOrder } from '../orders/endings.ts';
import { progressOf } from '../orders/progress.ts';
import { orderStep } from '../orders/step.ts';
import type { StepDependencies } from '../orders/step-types.ts';

/** The customer goes on without what is unavailable. A repeat changes nothing. */
export async function dropUnavailable(deps: StepDependencies, orderId: string, cause: string): Promise<OrderProgress> {
  const { order } = await orderStep(deps, orderId, cause, (step) => {
    if (step.order.status === 'customerActionRequired') {
      const missing = step.order.fulfillments.filter((f) => f.status === 'unavailable');
      for (const f of missing) giveUp(step, f, 'cancelled', REASONS.withoutUnavailable);
      moveOrder(step.order, 'processing');
    }
  });
  return progressOf(order);
}
