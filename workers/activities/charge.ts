import { drawInvoices, recordCharges } from '../../database/steps/charge.ts';
import type { ChargeAnswer, ChargeIntent } from '../../database/steps/charge.ts';
import type { OrderRecord } from '../../database/orders/record.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { answersOf } from './outcomes.ts';

/** Draws the invoices of these fulfillments and takes the money. A fulfillment without an answer stays as it is. */
export type Charge = (orderId: string, ids: readonly string[]) => Promise<OrderRecord>;

export function createCharge(deps: ActivityDependencies): Charge {
  const ask = async ({ fulfillmentId, ...rest }: ChargeIntent): Promise<ChargeAnswer> => ({
    fulfillmentId,
    ...(await deps.payment.charge({ key: fulfillmentId, ...rest })),
  });
  return async (orderId, ids) => {
    const { order, intents } = await drawInvoices(deps, orderId, ids);
    return recordCharges(deps, order, await answersOf(intents, ask));
  };
}
