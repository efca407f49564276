import { sql } from 'kysely';
import { OmsError, isOmsError } from '../../domain/errors.ts';
import { invoiceTotals } from '../../domain/invoice.ts';
import type { InvoiceTotals, Pricing } from '../../domain/invoice.ts';
import { transaction } from '../database.ts';
import { INVOICES, documentId, takeNumbers } from '../series.ts';
import { giveUp, moveFulfillment } from '../orders/endings.ts';
import { invoiceEvent } from '../orders/events.ts';
import { fulfillmentOf } from '../orders/record.ts';
import type { FulfillmentRecord, InvoiceRecord, OrderRecord } from '../orders/record.ts';
import { orderStep } from '../orders/step.ts';
import type { OrderStep, StepDependencies } from '../orders/step-types.ts';

/** What is to be asked of the payment provider. */
export interface ChargeIntent {
  fulfillmentId: string;
  customerId: string;
  currency: string;
  amount: number;
}

/** What the payment provider has said about a fulfillment. */
export type ChargeAnswer = { fulfillmentId: string } & (
  | { status: 'approved'; reference: string; authCode: string }
  | { status: 'declined'; reference: string; reason: string }
);

/** The order with its invoices drawn, and what is to be charged. */
export interface Drawn {
  order: OrderRecord;
  intents: ChargeIntent[];
}

type Priced = { fulfillment: FulfillmentRecord; totals: InvoiceTotals };

/**
 * Draws the invoices of these fulfillments and writes down the intent to charge them. Returns what is to be charged,
 * also on a repeat, until the outcome is recorded. What has no price fails, alone.
 */
export async function drawInvoices(
  deps: StepDependencies & { pricing: Pricing },
  orderId: string,
  ids: readonly string[],
): Promise<Drawn> {
  return transaction(deps.db, (tx) => drawIn({ ...deps, db: tx }, orderId, ids));
}

/** In a transaction, since taking a number locks the series until the invoice stands. */
async function drawIn(
  deps: StepDependencies & { pricing: Pricing },
  orderId: string,
  ids: readonly string[],
): Promise<Drawn> {
  const { result, order } = await orderStep(deps, orderId, 'chargeFulfillments', async (step) => {
    const { order } = step;
    const wanted = order.fulfillments.filter((f) => ids.includes(f.id));
    const fresh = wanted.filter((f) => f.status === 'pending' && f.invoice === null);
    const priceOf = await prices(step, fresh);
    const priced = fresh.flatMap((f) => price(step, f, priceOf, deps.pricing) ?? []);
    await issue(step, priced, deps.pricing);
    return wanted.flatMap((f) =>
      f.status === 'processing' && f.payment?.status === 'pending'
        ? [{ fulfillmentId: f.id, customerId: order.customerId, currency: order.currency, amount: f.payment.amount }]
        : [],
    );
  });
  return { intents: result, order };
}

/** The price list, for the SKUs whose price the upstream system left to us. */
async function prices({ db, order }: OrderStep, fulfillments: FulfillmentRecord[]): Promise<Map<string, number>> {
  const skus = fulfillments.flatMap((f) => f.items.flatMap((item) => (item.unitPrice === null ? [item.sku] : [])));
  if (skus.length === 0) return new Map();
  const { rows } = await sql<{ sku: string; unit_price: number }>`
    select sku, unit_price from prices where sku = any(${[...new Set(skus)]}::text[]) and currency = ${order.currency}
  `.execute(db);
  return new Map(rows.map((row) => [row.sku, row.unit_price]));
}

/** The totals; undefined when the fulfillment cannot be priced, and has failed for it. */
function price(
  step: OrderStep,
  fulfillment: FulfillmentRecord,
  list: Map<string, number>,
  pricing: Pricing,
): Priced | undefined {
  try {
    const items = fulfillment.items.map(({ line, sku, quantity, unitPrice }) => {
      const price = unitPrice ?? list.get(sku);
      if (price !== undefined) return { line, sku, quantity, unitPrice: price };
      throw new OmsError('OMS_PRICE_MISSING', `no price for ${sku} in ${step.order.currency}`);
    });
    return { fulfillment, totals: invoiceTotals(items, pricing) };
  } catch (error) {
    if (!isOmsError(error)) throw error;
    giveUp(step, fulfillment, 'failed', `${error.code}: ${error.message}`);
    return undefined;
  }
}

async function issue(step: OrderStep, priced: Priced[], pricing: Pricing): Promise<void> {
  if (priced.length === 0) return;
  const first = await takeNumbers(step.db, INVOICES, priced.length);
  for (const [i, { fulfillment, totals }] of priced.entries()) {
    const { lines, ...amounts } = totals;
    const number = first + i;
    const named = { invoiceId: documentId(INVOICES, number), series: INVOICES, number };
    const invoice: InvoiceRecord = { ...named, ...amounts, drawn: { lines, pricing } };
    fulfillment.invoice = invoice;
    fulfillment.payment = newPayment(totals.total);
    moveFulfillment(fulfillment, 'processing');
    step.tell(invoiceEvent(step.order, fulfillment, invoice, 'InvoiceIssued', step));
  }
}

function newPayment(amount: number): NonNullable<FulfillmentRecord['payment']> {
  const open = { reference: null, authCode: null, declineReason: null, settledAt: null };
  return { status: 'pending', mode: 'charge', amount, captured: 0, refunded: 0, ...open };
}

/**
 * Records what the provider said. Approved: the shipment is to be booked. Declined: the fulfillment fails, and what was
 * promised to it is free again. An answer that comes after the fulfillment was given up is recorded, and is due back.
 */
export async function recordCharges(
  deps: StepDependencies,
  drawn: OrderRecord,
  answers: readonly ChargeAnswer[],
): Promise<OrderRecord> {
  const record = (step: OrderStep): void => answers.forEach((answer) => recordCharge(step, answer));
  const { order } = await orderStep(deps, drawn.orderId, 'chargeFulfillments', record, drawn);
  return order;
}

function recordCharge(step: OrderStep, answer: ChargeAnswer): void {
  const fulfillment = fulfillmentOf(step.order, answer.fulfillmentId);
  const { invoice, payment } = fulfillment ?? {};
  if (!fulfillment || !invoice || payment?.status !== 'pending') return;
  payment.reference = answer.reference;
  payment.settledAt = step.order.now;
  if (answer.status === 'approved') {
    payment.status = 'success';
    payment.captured = payment.amount;
    payment.authCode = answer.authCode;
    step.tell(invoiceEvent(step.order, fulfillment, invoice, 'InvoicePaid', { ...step, amount: payment.captured }));
    if (fulfillment.status === 'processing') fulfillment.shipment = shipmentToBook();
    return;
  }
  payment.status = 'failed';
  payment.declineReason = answer.reason;
  step.tell(invoiceEvent(step.order, fulfillment, invoice, 'PaymentFailed', { ...step, reason: answer.reason }));
  if (fulfillment.status === 'processing')
    giveUp(step, fulfillment, 'failed', `OMS_PAYMENT_DECLINED: ${answer.reason}`);
}

/** The row that says a booking may be made: it is there before the carrier is asked. */
function shipmentToBook(): NonNullable<FulfillmentRecord['shipment']> {
  const unknown = { carrier: null, bookingReference: null, trackingNumber: null, service: null, quotedPrice: null };
  return { status: 'pending', ...unknown, failedAttempts: 0, bookedAt: null, dispatchedAt: null, endedAt: null };
}
