import { CAUSES } from '../../domain/causes.ts';
import type { PaymentMode } from '../../domain/money.ts';
import { REASON_FORMS } from '../../domain/reasons.ts';
import { invoiceEvent } from '../events.ts';
import { giveUp, movePayment } from '../record/endings.ts';
import { fulfillmentOf } from '../record/record.ts';
import type { FulfillmentRecord, OrderRecord } from '../record/record.ts';
import type { OrderStep, StepDependencies } from '../record/step-types.ts';
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
