import type { OrderProgress } from '../../domain/progress.ts';
import { progressOf } from '../../orders/record/progress.ts';
import type { OrderRecord } from '../../orders/record/record.ts';
import { captureIntents, recordCaptures, recordCharges } from '../../orders/steps/charge.ts';
import type { CaptureAnswer, CaptureIntent, ChargeAnswer, ChargeIntent } from '../../orders/steps/charge.ts';
import { drawInvoices } from '../../orders/steps/draw.ts';
import { recordRefunds, refundIntents } from '../../orders/steps/refund.ts';
import type { PaymentEnd, RefundAnswer, RefundIntent } from '../../orders/steps/refund.ts';
import type { PaymentProvider, PaymentState } from '../../providers/payment/port.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { answersOf } from './failures.ts';

/** Steps that move money. */
export function createPaymentActivities(deps: ActivityDependencies, charge: Charge) {
  const { payment } = deps;

  const refund = async ({ fulfillmentId, isOpen, reason, owed }: RefundIntent): Promise<RefundAnswer> => {
    const end = isOpen ? await endPayment(payment, fulfillmentId, reason) : null;
    if (end && end.status !== 'captured') return { fulfillmentId, end, refunded: [] };
    const giveBack = async (note: RefundIntent['owed'][number]): Promise<string> => {
      const { creditNoteId, amount } = note;
      await payment.refund({ key: fulfillmentId, refundKey: creditNoteId, amount, reason: note.reason });
      return creditNoteId;
    };
    // What is known is recorded, whatever is still to be asked for again.
    const refunded = await answersOf(owed, giveBack).catch((error: unknown) => {
      if (end) return [];
      throw error;
    });
    return { fulfillmentId, end, refunded };
  };

  const capture = async ({ fulfillmentId, amount }: CaptureIntent): Promise<CaptureAnswer> => ({
    fulfillmentId,
    ...(await payment.capture({ key: fulfillmentId, amount })),
  });

  return {
    /** Draws the invoices of these fulfillments and takes the money, as far as the provider answers. */
    async chargeFulfillments(orderId: string, ids: string[]): Promise<OrderProgress> {
      return progressOf(await charge(orderId, ids));
    },

    /** Takes the money that is held for what the carrier has by now, as far as the provider answers. */
    async captureFulfillments(orderId: string): Promise<OrderProgress> {
      const intents = await captureIntents(deps.db, orderId);
      return recordCaptures(deps, orderId, await answersOf(intents, capture));
    },

    /** Gives back all money that is due back. */
    async refundFulfillments(orderId: string): Promise<OrderProgress> {
      const intents = await refundIntents(deps, orderId);
      return recordRefunds(deps, orderId, await answersOf(intents, refund));
    },
  };
}

/** Void first, then ask: after that, nothing the provider says of the payment can change any more. */
async function endPayment(payment: PaymentProvider, key: string, reason: string): Promise<PaymentEnd> {
  await payment.void(key, reason);
  const state = await payment.get(key);
  return endOf(state, reason);
}

function endOf(state: PaymentState | null, reason: string): PaymentEnd {
  if (!state) return { status: 'voided', captured: 0, reference: null, authCode: null, reason };
  const { status, captured, reference, authCode } = state;
  return { status: status === 'authorized' ? 'voided' : status, captured, reference, authCode, reason: state.reason };
}

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
