import type { InvoiceLine, Pricing } from '../../domain/invoice.ts';
import { sum } from '../../domain/money.ts';
import type { PaymentStatus } from '../../domain/status.ts';
import type { FulfillmentRecord as ToldFulfillment, InvoiceEvent } from '../../schemas/index.ts';
import type {
  CreditNoteRecord,
  FulfillmentItemRecord,
  FulfillmentRecord,
  InvoiceRecord,
  PaymentRecord,
} from '../orders/record.ts';
import { seriesOf } from '../series.ts';
import type { ToldOrder } from './told.ts';

type Money = Pick<FulfillmentRecord, 'invoice' | 'payment' | 'creditNotes'>;

/** Invoice, payment and credit notes of a fulfillment as they were told; all empty while nothing was billed. */
export function rebuiltMoney(
  { status, invoices }: ToldOrder,
  f: ToldFulfillment,
  items: readonly FulfillmentItemRecord[],
  country: string | null,
): Money {
  const own = invoices.filter(({ fulfillmentId }) => fulfillmentId === f.id);
  const issued = own.find(({ type }) => type === 'InvoiceIssued');
  const invoice = issued ? invoiceFrom(issued, items, country) : oldInvoice(f, status.receivedAt);
  if (!invoice) return { invoice: null, payment: null, creditNotes: [] };
  const payment = paymentFrom(own, f, status.version, invoice.total);
  return { invoice, payment, creditNotes: creditNotesFrom(own, items, invoice, payment) };
}

function invoiceFrom(
  issued: InvoiceEvent,
  items: readonly FulfillmentItemRecord[],
  country: string | null,
): InvoiceRecord {
  const { invoiceId, subTotal, tax, shipping, total } = issued;
  const taxBasisPoints = subTotal === 0 ? 0 : Math.round((tax * 10_000) / subTotal);
  const pricing: Pricing = { country, taxBasisPoints, shippingPerShipment: shipping };
  const drawn = { lines: linesFrom(issued, items), pricing };
  const issuedAt = issued.occurredAt;
  return { invoiceId, ...seriesOf(invoiceId), subTotal, tax, shipping, total, issuedAt, drawn };
}

/**
 * Its events are older than its topic keeps: only the sums are known, and its date where the status has it. Else it was
 * drawn soon after the order was received.
 */
function oldInvoice({ invoiceId, invoicedAt, payment }: ToldFulfillment, receivedAt: number): InvoiceRecord | null {
  if (invoiceId === null || payment === null) return null;
  const { subTotal, tax, shipping, total } = payment;
  const pricing: Pricing = { country: null, taxBasisPoints: 0, shippingPerShipment: shipping };
  const issuedAt = invoicedAt ?? receivedAt;
  const drawn = { lines: [], pricing };
  return { invoiceId, ...seriesOf(invoiceId), subTotal, tax, shipping, total, issuedAt, drawn };
}

/** Lines on the topic have no number: they are in the order of the fulfillment's items. */
function linesFrom({ lines }: InvoiceEvent, items: readonly FulfillmentItemRecord[]): InvoiceLine[] {
  const used = new Set<number>();
  return lines.map((line, i) => {
    const item = items.find((one) => one.sku === line.sku && !used.has(one.line));
    const number = item?.line ?? i + 1;
    used.add(number);
    return { line: number, ...line };
  });
}

const STATUS_BY_TYPE: Partial<Record<InvoiceEvent['type'], PaymentStatus>> = {
  InvoiceIssued: 'pending',
  PaymentAuthorized: 'authorized',
  InvoicePaid: 'success',
  PaymentFailed: 'failed',
  PaymentVoided: 'voided',
};

function paymentFrom(
  own: readonly InvoiceEvent[],
  f: ToldFulfillment,
  statusVersion: number,
  amount: number,
): PaymentRecord {
  const last = own.findLast(({ type }) => STATUS_BY_TYPE[type]);
  const told = (f.payment?.status ?? 'pending') as PaymentStatus;
  const isNewer = last !== undefined && last.version > statusVersion;
  const status = isNewer ? (STATUS_BY_TYPE[last.type] ?? told) : told;
  const isTaken = status === 'success' || status === 'refunded';
  const paid = own.find(({ type }) => type === 'InvoicePaid');
  const refunds = own.filter(({ type }) => type === 'InvoiceRefunded');
  const captured = isTaken ? (paid?.amount ?? amount) : 0;
  const refunded =
    refunds.length > 0 ? sum(refunds.map((one) => one.amount ?? one.total)) : status === 'refunded' ? captured : 0;
  const isHeldFirst = status === 'authorized' || own.some(({ type }) => type === 'PaymentAuthorized');
  return {
    status: isTaken ? (captured > 0 && refunded >= captured ? 'refunded' : 'success') : status,
    mode: isHeldFirst ? 'capture-at-handover' : 'charge',
    amount,
    captured,
    reference: own.findLast(({ paymentReference }) => paymentReference !== null)?.paymentReference ?? null,
    authCode: own.findLast(({ authCode }) => authCode !== null)?.authCode ?? null,
    declineReason: status === 'failed' || status === 'voided' ? (last?.reason ?? null) : null,
    refunded,
    settledAt: status === 'pending' || status === 'authorized' ? null : (last?.occurredAt ?? null),
  };
}

function creditNotesFrom(
  own: readonly InvoiceEvent[],
  items: readonly FulfillmentItemRecord[],
  invoice: InvoiceRecord,
  payment: PaymentRecord,
): CreditNoteRecord[] {
  const issued = own.filter((one) => one.type === 'CreditNoteIssued' && one.creditNoteId !== null);
  const credited = sum(issued.map(({ total }) => total));
  const isTaken = payment.status === 'success' || payment.status === 'refunded';
  // What was credited before the money was taken was never taken.
  const isOwed = isTaken && payment.captured - payment.refunded > invoice.total - credited;
  const isOpen = isOwed || payment.status === 'pending' || payment.status === 'authorized';
  return issued.map((one) => {
    const creditNoteId = one.creditNoteId ?? '';
    const refund = own.find(({ type, creditNoteId: of }) => type === 'InvoiceRefunded' && of === creditNoteId);
    const { subTotal, tax, shipping, total, reason, occurredAt: issuedAt } = one;
    return {
      ...{ creditNoteId, ...seriesOf(creditNoteId), subTotal, tax, shipping, total, reason: reason ?? '', issuedAt },
      refunded: refund ? total : 0,
      settledAt: refund?.occurredAt ?? (isOpen ? null : one.occurredAt),
      drawn: { lines: linesFrom(one, items) },
    };
  });
}
