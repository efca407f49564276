import type { OrderProgress } from '../../domain/progress.ts';
import type { Database } from '../database.ts';
import { invoiceEvent } from '../orders/events.ts';
import { readOrder } from '../orders/load.ts';
import { isRefundDue, progressOf } from '../orders/progress.ts';
import { fulfillmentOf } from '../orders/record.ts';
import type { FulfillmentRecord } from '../orders/record.ts';
import { orderStep } from '../orders/step.ts';
import type { OrderStep, StepDependencies } from '../orders/step-types.ts';
import type { ChargeAnswer } from './charge.ts';

/** A refund the provider has carried out, and what it says of the charge it was for. */
export interface RefundAnswer {
  fulfillmentId: string;
  /** Null: the provider never took the money, and never will. */
  charge: ChargeAnswer | null;
}

export interface RefundIntent {
  fulfillmentId: string;
  reason: string;
}

/** Whose money has to go back, or may have to: the provider will know. */
export async function refundIntents(db: Database, orderId: string): Promise<RefundIntent[]> {
  const order = await readOrder(db, orderId);
  return (order?.fulfillments ?? [])
    .filter(isRefundDue)
    .map((f) => ({ fulfillmentId: f.id, reason: f.reason ?? f.status }));
}

/** Records refunds that are done. A charge whose outcome was not known is settled by what the provider says of it. */
export async function recordRefunds(
  deps: StepDependencies,
  orderId: string,
  answers: readonly RefundAnswer[],
): Promise<OrderProgress> {
  const { order } = await orderStep(deps, orderId, 'refundFulfillments', (step) => {
    for (const answer of answers) {
      const f = fulfillmentOf(step.order, answer.fulfillmentId);
      if (f && isRefundDue(f)) recordRefund(step, f, answer.charge);
    }
  });
  return progressOf(order);
}

function recordRefund(step: OrderStep, f: FulfillmentRecord, charge: ChargeAnswer | null): void {
  const { invoice, payment } = f;
  if (!invoice || !payment) return;
  const now = step.order.now;
  if (charge?.status === 'approved') {
    if (payment.status === 'pending') {
      Object.assign(payment, {
        status: 'success',
        reference: charge.reference,
        authCode: charge.authCode,
        settledAt: now,
      });
      step.tell(invoiceEvent(step.order, f, invoice, 'InvoicePaid', step));
    }
    payment.refunded = payment.amount;
    step.tell(invoiceEvent(step.order, f, invoice, 'InvoiceRefunded', { ...step, reason: f.reason }));
    return;
  }
  const reason = charge?.reason ?? f.reason;
  Object.assign(payment, { status: 'failed', declineReason: reason, settledAt: now });
  step.tell(invoiceEvent(step.order, f, invoice, 'PaymentFailed', { ...step, reason }));
}
