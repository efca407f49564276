import { sqlState, transaction } from '../../database/database.ts';
import { CAUSES } from '../../domain/causes.ts';
import { OmsError, isOmsError } from '../../domain/errors.ts';
import type { InvoiceTotals, Pricing, PricingRules } from '../../domain/invoice.ts';
import type { PaymentMode } from '../../domain/money.ts';
import { REASON_FORMS } from '../../domain/reasons.ts';
import { invoiceEvent } from '../events.ts';
import { openPricer } from '../money/pricer.ts';
import { INVOICES, IN_MAINTENANCE, documentId, numberInvoices } from '../money/series.ts';
import { isMaintenance } from '../money/spend.ts';
import { giveUp, moveFulfillment } from '../record/order-step.ts';
import type { OrderStep, StepDependencies } from '../record/order-step.ts';
import type { FulfillmentRecord, InvoiceRecord, OrderRecord } from '../record/record.ts';
import { orderStep } from '../record/step.ts';
import { failPayment } from './charge.ts';
import type { ChargeIntent } from './charge.ts';

/** What invoices are drawn with. */
export interface DrawDependencies extends StepDependencies {
  pricing: PricingRules;
  /** Of payments begun from now on. @default charge */
  paymentMode?: PaymentMode;
}

/** The order with its invoices drawn, and what is to be charged. */
export interface Drawn {
  order: OrderRecord;
  intents: ChargeIntent[];
}

type Priced = { fulfillment: FulfillmentRecord; totals: InvoiceTotals; pricing: Pricing };

/**
 * Draws the invoices of these fulfillments and writes down the intent to charge them. Returns what is to be charged,
 * also on a repeat, until the outcome is recorded. What has no price, or is over the customer's limit, fails, alone.
 * @throws OmsError OMS_PAYMENT_MAINTENANCE when there is something to be charged, and nothing may be now
 */
export async function drawInvoices(deps: DrawDependencies, orderId: string, ids: readonly string[]): Promise<Drawn> {
  try {
    return await transaction(deps.db, (tx) => drawIn({ ...deps, db: tx }, orderId, ids));
  } catch (error) {
    throw sqlState(error) === IN_MAINTENANCE ? maintenance() : error;
  }
}

const maintenance = (): OmsError =>
  new OmsError(
    'OMS_PAYMENT_MAINTENANCE',
    'payments are held by maintenance mode; `oms maintenance off` lets them go on',
  );

/** In a transaction, since taking a number locks the series until the invoice stands. */
async function drawIn(deps: DrawDependencies, orderId: string, ids: readonly string[]): Promise<Drawn> {
  let drawn = 0;
  const { result, order } = await orderStep(deps, orderId, CAUSES.chargeFulfillments, async (step) => {
    const { order } = step;
    const wanted = order.fulfillments.filter((f) => ids.includes(f.id));
    const fresh = wanted.filter((f) => f.status === 'pending' && f.invoice === null);
    const priced = await price(step, fresh, deps.pricing);
    drawn = priced.length;
    await issue(step, priced, deps.paymentMode ?? 'charge');
    return wanted.flatMap((f): ChargeIntent[] => {
      if (f.status !== 'processing' || f.payment?.status !== 'pending') return [];
      const { mode, amount } = f.payment;
      return [{ fulfillmentId: f.id, mode, customerId: order.customerId, currency: order.currency, amount }];
    });
  });
  if (drawn === 0 && result.length > 0 && (await isMaintenance(deps.db))) throw maintenance();
  return { intents: result, order };
}

/** The totals of each; one that cannot be priced has failed for it. */
async function price(step: OrderStep, fulfillments: FulfillmentRecord[], rules: PricingRules): Promise<Priced[]> {
  const { currency, shipTo } = step.order;
  const place = { currency, country: shipTo?.country ?? null };
  const pricer = await openPricer(step.db, rules, { ...place, items: fulfillments.flatMap((f) => f.items) });
  return fulfillments.flatMap((fulfillment) => {
    try {
      return [{ fulfillment, ...pricer.price(fulfillment.items) }];
    } catch (error) {
      if (!isOmsError(error)) throw error;
      giveUp(step, fulfillment, 'failed', REASON_FORMS.error(error.code, error.message));
      return [];
    }
  });
}

async function issue(step: OrderStep, priced: Priced[], mode: PaymentMode): Promise<void> {
  if (priced.length === 0) return;
  const { order } = step;
  const asked = priced.map(({ fulfillment, totals }) => ({ id: fulfillment.id, amount: totals.total }));
  // The decision about the customer's limit is made with it, before any provider is asked.
  const numbered = await numberInvoices(step.db, order, asked);
  for (const [i, { number, approved }] of numbered.entries()) {
    const one = priced[i];
    if (!one) continue;
    const { fulfillment, pricing, totals } = one;
    const { lines, ...amounts } = totals;
    const named = { invoiceId: documentId(INVOICES, number), series: INVOICES, number };
    const invoice: InvoiceRecord = { ...named, ...amounts, issuedAt: order.now, drawn: { lines, pricing } };
    fulfillment.invoice = invoice;
    fulfillment.payment = newPayment(totals.total, mode);
    moveFulfillment(fulfillment, 'processing');
    step.tell(invoiceEvent(order, fulfillment, invoice, 'InvoiceIssued', step));
    if (!approved) failPayment(step, fulfillment, REASON_FORMS.overLimit(totals.total, order.currency));
  }
}

function newPayment(amount: number, mode: PaymentMode): NonNullable<FulfillmentRecord['payment']> {
  const open = { reference: null, authCode: null, declineReason: null, settledAt: null };
  return { status: 'pending', mode, amount, captured: 0, refunded: 0, ...open };
}
