import type { Database } from '../../database/database.ts';
import { CAUSES } from '../../domain/causes.ts';
import { sum } from '../../domain/money.ts';
import type { OrderProgress } from '../../domain/progress.ts';
import { invoiceEvent } from '../events.ts';
import { movePayment } from '../record/endings.ts';
import { existingOrder } from '../record/load.ts';
import { isCaptureDue, progressOf } from '../record/progress.ts';
import { fulfillmentOf } from '../record/record.ts';
import type { FulfillmentRecord } from '../record/record.ts';
import type { OrderStep, StepDependencies } from '../record/step-types.ts';
import { orderStep } from '../record/step.ts';

/** Money that is held, to be taken now. */
export interface CaptureIntent {
  fulfillmentId: string;
  /** What is still owed: less than was authorized where a part was credited since. */
  amount: number;
}

export type CaptureAnswer = { fulfillmentId: string } & (
  { status: 'captured'; amount: number } | { status: 'declined'; reason: string }
);

/** What the carrier has, and is not paid for yet. */
export async function captureIntents(db: Database, orderId: string): Promise<CaptureIntent[]> {
  const { fulfillments } = await existingOrder(db, orderId);
  return fulfillments.filter(isCaptureDue).map((f) => ({ fulfillmentId: f.id, amount: owedFor(f) }));
}

function owedFor({ payment, creditNotes }: FulfillmentRecord): number {
  return (payment?.amount ?? 0) - sum(creditNotes.map((note) => note.total));
}

/**
 * Records what was taken. Declined: the goods are with the carrier and go on to be delivered, and the invoice stays
 * open: it is owed.
 */
export async function recordCaptures(
  deps: StepDependencies,
  orderId: string,
  answers: readonly CaptureAnswer[],
): Promise<OrderProgress> {
  const record = (step: OrderStep): void => answers.forEach((answer) => recordCapture(step, answer));
  const { order } = await orderStep(deps, orderId, CAUSES.captureFulfillments, record);
  return progressOf(order);
}

function recordCapture(step: OrderStep, answer: CaptureAnswer): void {
  const f = fulfillmentOf(step.order, answer.fulfillmentId);
  const { invoice, payment } = f ?? {};
  if (!f || !invoice || payment?.status !== 'authorized') return;
  payment.settledAt = step.order.now;
  if (answer.status === 'captured') {
    const { amount } = answer;
    movePayment(f, payment, 'success');
    payment.captured = amount;
    step.tell(invoiceEvent(step.order, f, invoice, 'InvoicePaid', { ...step, amount }));
    return;
  }
  const { reason } = answer;
  movePayment(f, payment, 'failed');
  payment.declineReason = reason;
  step.tell(invoiceEvent(step.order, f, invoice, 'PaymentFailed', { ...step, reason }));
}
