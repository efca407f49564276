import type { OrderProgress } from '../../domain/progress.ts';
import { drawInvoices, recordCharges } from '../../database/steps/charge.ts';
import type { ChargeAnswer, ChargeIntent } from '../../database/steps/charge.ts';
import { recordRefunds, refundIntents } from '../../database/steps/refund.ts';
import type { RefundAnswer, RefundIntent } from '../../database/steps/refund.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { answersOf } from './outcomes.ts';

/** Steps that move money. */
export function createPaymentActivities(deps: ActivityDependencies) {
  const { payment } = deps;

  const charge = async ({ fulfillmentId, ...rest }: ChargeIntent): Promise<ChargeAnswer> => ({
    fulfillmentId,
    ...(await payment.charge({ key: fulfillmentId, ...rest })),
  });

  // Refund first, then ask: once it has been refunded, nothing the provider says of the charge can change any more.
  const refund = async ({ fulfillmentId, reason }: RefundIntent): Promise<RefundAnswer> => {
    await payment.refund(fulfillmentId, reason);
    const outcome = await payment.get(fulfillmentId);
    return { fulfillmentId, charge: outcome && { fulfillmentId, ...outcome } };
  };

  return {
    /** Draws the invoices of these fulfillments and takes the money. A fulfillment without an answer stays as it is. */
    async chargeFulfillments(orderId: string, ids: string[]): Promise<OrderProgress> {
      const intents = await drawInvoices(deps, orderId, ids);
      return recordCharges(deps, orderId, await answersOf(intents, charge));
    },

    /** Gives back all money that is due back. */
    async refundFulfillments(orderId: string): Promise<OrderProgress> {
      const intents = await refundIntents(deps.db, orderId);
      return recordRefunds(deps, orderId, await answersOf(intents, refund));
    },
  };
}
