import { progressOf } from '../../database/orders/progress.ts';
import { recordRefunds, refundIntents } from '../../database/steps/refund.ts';
import type { RefundAnswer, RefundIntent } from '../../database/steps/refund.ts';
import type { OrderProgress } from '../../domain/progress.ts';
import type { Charge } from './charge.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { answersOf } from './outcomes.ts';

/** Steps that move money. */
export function createPaymentActivities(deps: ActivityDependencies, charge: Charge) {
  const { payment } = deps;

  // Refund first, then ask: once it has been refunded, nothing the provider says of the charge can change any more.
  const refund = async ({ fulfillmentId, reason }: RefundIntent): Promise<RefundAnswer> => {
    await payment.refund(fulfillmentId, reason);
    const outcome = await payment.get(fulfillmentId);
    return { fulfillmentId, charge: outcome && { fulfillmentId, ...outcome } };
  };

  return {
    /** Draws the invoices of these fulfillments and takes the money, as far as the provider answers. */
    async chargeFulfillments(orderId: string, ids: string[]): Promise<OrderProgress> {
      return progressOf(await charge(orderId, ids));
    },

    /** Gives back all money that is due back. */
    async refundFulfillments(orderId: string): Promise<OrderProgress> {
      const intents = await refundIntents(deps.db, orderId);
      return recordRefunds(deps, orderId, await answersOf(intents, refund));
    },
  };
}
