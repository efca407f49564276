import type { OrderRecord } from '../../orders/record/record.ts';
import { recordCharges } from '../../orders/steps/charge.ts';
import type { ChargeAnswer, ChargeIntent } from '../../orders/steps/charge.ts';
import { drawInvoices } from '../../orders/steps/draw.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { answersOf } from './failures.ts';

/** Draws the invoices of these fulfillments and takes the money, or has it held. A fulfillment without an answer stays as it is. */
export type Charge = (orderId: string, ids: readonly string[]) => Promise<OrderRecord>;

export function createCharge(deps: ActivityDependencies): Charge {
  const { payment } = deps;
  const ask = async ({ fulfillmentId, mode, ...rest }: ChargeIntent): Promise<ChargeAnswer> => {
    const request = { key: fulfillmentId, ...rest };
    return { fulfillmentId, ...(await (mode === 'charge' ? payment.charge(request) : payment.authorize(request))) };
  };
  return async (orderId, ids) => {
    const { order, intents } = await drawInvoices(deps, orderId, ids);
    return recordCharges(deps, order, await answersOf(intents, ask));
  };
}
