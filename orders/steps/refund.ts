import { CAUSES } from '../../domain/causes.ts';
import type { OrderProgress } from '../../domain/progress.ts';
import { creditNoteEvent, invoiceEvent } from '../events.ts';
import { movePayment } from '../record/order-step.ts';
import type { OrderStep, StepDependencies } from '../record/order-step.ts';
import { isRefundDue, progressOf } from '../record/progress.ts';
import { fulfillmentOf } from '../record/record.ts';
import type { CreditNoteRecord, FulfillmentRecord, InvoiceRecord, PaymentRecord } from '../record/record.ts';
import { orderStep } from '../record/step.ts';

/** Money to be given back at the payment provider. */
export interface RefundIntent {
  fulfillmentId: string;
  reason: string;
  /** Not taken for certain: what is not taken yet is to be let go first. */
  isOpen: boolean;
  /** What is owed back, by credit note, if so much was taken. */
  owed: { creditNoteId: string; amount: number; reason: string }[];
}

/** How a payment stands at the provider once nothing more can be taken for it. */
export interface PaymentEnd {
  status: 'captured' | 'voided' | 'declined';
  captured: number;
  reference: string | null;
  authCode: string | null;
  reason: string | null;
}

/** Refunds the provider has carried out. */
export interface RefundAnswer {
  fulfillmentId: string;
  /** Null where it was known before. */
  end: PaymentEnd | null;
  /** Credit notes whose money went back. */
  refunded: string[];
}

/** Whose money has to go back, or may have to: the provider will know. Each has its credit notes. */
export async function refundIntents(deps: StepDependencies, orderId: string): Promise<RefundIntent[]> {
  const { order } = await orderStep(deps, orderId, CAUSES.refundFulfillments, () => undefined);
  return order.fulfillments.filter(isRefundDue).map((f) => ({
    fulfillmentId: f.id,
    reason: f.reason ?? f.status,
    isOpen: f.payment?.status !== 'success',
    owed: f.creditNotes
      .filter((note) => note.settledAt === null)
      .map(({ creditNoteId, total, reason }) => ({ creditNoteId, amount: total, reason })),
  }));
}

/** Records refunds that are done. A payment whose outcome was not known is settled by what the provider says of it. */
export async function recordRefunds(
  deps: StepDependencies,
  orderId: string,
  answers: readonly RefundAnswer[],
): Promise<OrderProgress> {
  const { order } = await orderStep(deps, orderId, CAUSES.refundFulfillments, (step) => {
    for (const answer of answers) {
      const f = fulfillmentOf(step.order, answer.fulfillmentId);
      if (f?.invoice && f.payment && isRefundDue(f)) recordRefund(step, f, f.invoice, f.payment, answer);
    }
  });
  return progressOf(order);
}

function recordRefund(
  step: OrderStep,
  f: FulfillmentRecord,
  invoice: InvoiceRecord,
  payment: PaymentRecord,
  { end, refunded }: RefundAnswer,
): void {
  if (end && payment.status !== 'success') recordEnd(step, f, invoice, payment, end);
  for (const note of f.creditNotes) {
    if (note.settledAt !== null || !refunded.includes(note.creditNoteId)) continue;
    recordReturn(f, payment, note, step.order.now);
    step.tell(creditNoteEvent(step.order, f, { invoice, note, type: 'InvoiceRefunded' }, step));
  }
}

function recordEnd(
  step: OrderStep,
  f: FulfillmentRecord,
  invoice: InvoiceRecord,
  payment: PaymentRecord,
  end: PaymentEnd,
): void {
  const { captured, reference, authCode } = end;
  payment.settledAt = step.order.now;
  payment.reference ??= reference;
  if (end.status === 'captured') {
    movePayment(f, payment, 'success');
    Object.assign(payment, { captured, authCode });
    step.tell(invoiceEvent(step.order, f, invoice, 'InvoicePaid', { ...step, amount: captured }));
    return;
  }
  const reason = end.reason ?? f.reason;
  movePayment(f, payment, end.status === 'voided' ? 'voided' : 'failed');
  payment.declineReason = reason;
  const type = end.status === 'voided' ? 'PaymentVoided' : 'PaymentFailed';
  step.tell(invoiceEvent(step.order, f, invoice, type, { ...step, reason }));
}

function recordReturn(f: FulfillmentRecord, payment: PaymentRecord, note: CreditNoteRecord, now: number): void {
  note.refunded = note.total;
  note.settledAt = now;
  payment.refunded += note.total;
  if (payment.status === 'success' && payment.refunded >= payment.captured) movePayment(f, payment, 'refunded');
}
