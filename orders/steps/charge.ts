import type { Database } from '../../database/database.ts';
import { CAUSES } from '../../domain/causes.ts';
import { sum } from '../../domain/money.ts';
import type { PaymentMode } from '../../domain/money.ts';
import type { OrderProgress } from '../../domain/progress.ts';
import { REASON_FORMS } from '../../domain/reasons.ts';
import { invoiceEvent } from '../events.ts';
import { existingOrder } from '../record/load.ts';
import { giveUp, movePayment } from '../record/order-step.ts';
import type { OrderStep, StepDependencies } from '../record/order-step.ts';
import { isCaptureDue, progressOf } from '../record/progress.ts';
import { fulfillmentOf } from '../record/record.ts';
import type { FulfillmentRecord, OrderRecord } from '../record/record.ts';
import { orderStep } from '../record/step.ts';

/** What is to be asked of the payment provider. */
export interface ChargeIntent {
  fulfillmentId: string;
  mode: PaymentMode;
  customerId: string;
  currency: string;
  amount: number;
}

/** What the payment provider has said about a fulfillment. */
export type ChargeAnswer = { fulfillmentId: string } & (
  | { status: 'approved'; reference: string; authCode: string }
  | { status: 'declined'; reference: string; reason: string }
);

/**
 * Records what the provider said. Approved, the money is taken or held: the shipment is to be booked. Declined: the
 * fulfillment fails, and what was promised to it is free again. An answer that comes after the fulfillment was given up
 * is recorded, and is due back.
 */
export async function recordCharges(
  deps: StepDependencies,
  drawn: OrderRecord,
  answers: readonly ChargeAnswer[],
): Promise<OrderRecord> {
  const record = (step: OrderStep): void => answers.forEach((answer) => recordCharge(step, answer));
  const { order } = await orderStep(deps, drawn.orderId, CAUSES.chargeFulfillments, record, drawn);
  return order;
}

function recordCharge(step: OrderStep, answer: ChargeAnswer): void {
  const f = fulfillmentOf(step.order, answer.fulfillmentId);
  const { invoice, payment } = f ?? {};
  if (!f || !invoice || payment?.status !== 'pending') return;
  payment.reference = answer.reference;
  if (answer.status === 'declined') return failPayment(step, f, answer.reason);
  const { amount } = payment;
  payment.authCode = answer.authCode;
  if (payment.mode === 'charge') {
    movePayment(f, payment, 'success');
    Object.assign(payment, { captured: amount, settledAt: step.order.now });
    step.tell(invoiceEvent(step.order, f, invoice, 'InvoicePaid', { ...step, amount }));
  } else {
    movePayment(f, payment, 'authorized');
    step.tell(invoiceEvent(step.order, f, invoice, 'PaymentAuthorized', { ...step, amount }));
  }
  if (f.status === 'processing') f.shipment = shipmentToBook();
}

/** No money for it: tells so, and fails the fulfillment unless it has ended already. */
export function failPayment(step: OrderStep, f: FulfillmentRecord, reason: string): void {
  const { invoice, payment } = f;
  if (!invoice || !payment) return;
  movePayment(f, payment, 'failed');
  Object.assign(payment, { declineReason: reason, settledAt: step.order.now });
  step.tell(invoiceEvent(step.order, f, invoice, 'PaymentFailed', { ...step, reason }));
  if (f.status !== 'processing') return;
  giveUp(step, f, 'failed', reason.startsWith('OMS_') ? reason : REASON_FORMS.declined(reason));
}

/** The row that says a booking may be made: it is there before the carrier is asked. */
function shipmentToBook(): NonNullable<FulfillmentRecord['shipment']> {
  const unknown = { carrier: null, bookingReference: null, trackingNumber: null, service: null, quotedPrice: null };
  return { status: 'pending', ...unknown, failedAttempts: 0, bookedAt: null, dispatchedAt: null, endedAt: null };
}

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
