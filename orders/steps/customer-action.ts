import type { OrderProgress } from '../../domain/progress.ts';
import { REASONS } from '../../domain/reasons.ts';
import { giveUp, moveOrder } from '../record/endings.ts';
import { progressOf } from '../record/progress.ts';
import type { StepDependencies } from '../record/step-types.ts';
import { orderStep } from '../record/step.ts';

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
