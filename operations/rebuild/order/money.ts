import type { InvoiceLine, Pricing } from '../../../domain/invoice.ts';
import { sum } from '../../../domain/money.ts';
import type { PaymentStatus } from '../../../domain/status.ts';
import { seriesOf } from '../../../orders/money/series.ts';
import type {
  CreditNoteRecord,
  FulfillmentItemRecord,
  FulfillmentRecord,
  InvoiceRecord,
  PaymentRecord,
} from '../../../orders/record/record.ts';
import type { FulfillmentRecord as ToldFulfillment, InvoiceEvent } from '../../../schemas/index.ts';
import { creditedLine, linesOfSums } from './forgotten.ts';
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
  if (!issued) return forgottenMoney(own, f, items, { country, status });
  const invoice = invoiceFrom(issued, items, country);
  const payment = paymentFrom(own, f, status.version, invoice.total);
  return { invoice, payment, creditNotes: creditNotesFrom(own, items, invoice, payment) };
}

function invoiceFrom(
  issued: InvoiceEvent,
  items: readonly FulfillmentItemRecord[],
  country: string | null,
): InvoiceRecord {
  const { invoiceId, subTotal, tax, shipping, total } = issued;
  const pricing: Pricing = { country, taxBasisPoints: rateOf(issued), shippingPerShipment: shipping };
  const drawn = { lines: linesFrom(issued, items), pricing };
  const issuedAt = issued.occurredAt;
  return { invoiceId, ...seriesOf(invoiceId), subTotal, tax, shipping, total, issuedAt, drawn };
}

/**
 * Its events are older than its topic keeps: only the sums are known, and dates where the status has them. Else the invoice
 * was drawn soon after the order was received.
 */
function forgottenMoney(
  own: readonly InvoiceEvent[],
  f: ToldFulfillment,
  items: readonly FulfillmentItemRecord[],
  { country, status }: { country: string | null; status: ToldOrder['status'] },
): Money {
  const { invoiceId } = f;
  if (invoiceId === null || f.payment === null) return { invoice: null, payment: null, creditNotes: [] };
  const { subTotal, tax, shipping, total } = f.payment;
  const sums = { invoiceId, ...seriesOf(invoiceId), subTotal, tax, shipping, total };
  const undrawn = { ...sums, issuedAt: f.invoicedAt ?? status.receivedAt };
  const payment = paymentFrom(own, f, status.version, total);
  const toldNotes = (f.creditNotes ?? []).map((note) => ({
    ...{ ...note, ...seriesOf(note.creditNoteId) },
    ...settledSince(own, note.creditNoteId),
  }));
  const isTold = (id: string | null): boolean => toldNotes.some(({ creditNoteId }) => creditNoteId === id);
  const unknown = own.filter(({ type, creditNoteId }) => type !== 'CreditNoteIssued' || !isTold(creditNoteId));
  const since = creditNotesFrom(unknown, items, undrawn, payment, sum(toldNotes.map((note) => note.total)));
  const creditNotes = [...toldNotes, ...since].map((note, i) => ({
    ...note,
    drawn: { lines: [creditedLine(note, i)] },
  }));
  const taxBasisPoints = rateOf(f.payment);
  const drawn = {
    lines: linesOfSums(f.payment, creditNotes, items, taxBasisPoints),
    pricing: { country, taxBasisPoints, shippingPerShipment: shipping },
  };
  return { invoice: { ...undrawn, drawn }, payment, creditNotes };
}

/** What was given back for a credit note, where its event is still there. */
function settledSince(own: readonly InvoiceEvent[], of: string): { refunded: number; settledAt: number } | undefined {
  const refund = own.find(({ type, creditNoteId }) => type === 'InvoiceRefunded' && creditNoteId === of);
  return refund && { refunded: refund.total, settledAt: refund.occurredAt };
}

const rateOf = ({ subTotal, tax }: { subTotal: number; tax: number }): number =>
  subTotal === 0 ? 0 : Math.round((tax * 10_000) / subTotal);

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
  const captured = isTaken ? (paid?.amount ?? (isNewer ? amount : (f.payment?.captured ?? amount))) : 0;
  const refunded = refundedOf(refunds, f, statusVersion) ?? (status === 'refunded' ? captured : 0);
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

/** What the status tells, and was told of since; of one that does not tell it, what was told at all. */
function refundedOf(refunds: readonly InvoiceEvent[], f: ToldFulfillment, statusVersion: number): number | undefined {
  const told = f.payment?.refunded ?? null;
  const since = told === null ? refunds : refunds.filter(({ version }) => version > statusVersion);
  if (told === null && since.length === 0) return undefined;
  return sum([told ?? 0, ...since.map((one) => one.amount ?? one.total)]);
}

function creditNotesFrom(
  own: readonly InvoiceEvent[],
  items: readonly FulfillmentItemRecord[],
  invoice: InvoiceRecord,
  payment: PaymentRecord,
  creditedBefore = 0,
): CreditNoteRecord[] {
  const issued = own.filter((one) => one.type === 'CreditNoteIssued' && one.creditNoteId !== null);
  const credited = sum([creditedBefore, ...issued.map(({ total }) => total)]);
  const isTaken = payment.status === 'success' || payment.status === 'refunded';
  // What was credited before the money was taken was never taken.
  const isOwed = isTaken && payment.captured - payment.refunded > invoice.total - credited;
  const isOpen = isOwed || payment.status === 'pending' || payment.status === 'authorized';
  return issued.map((one) => {
    const creditNoteId = one.creditNoteId ?? '';
    const settled = settledSince(own, creditNoteId);
    const { subTotal, tax, shipping, total, reason, occurredAt: issuedAt } = one;
    return {
      ...{ creditNoteId, ...seriesOf(creditNoteId), subTotal, tax, shipping, total, reason: reason ?? '', issuedAt },
      refunded: settled?.refunded ?? 0,
      settledAt: settled?.settledAt ?? (isOpen ? null : one.occurredAt),
      drawn: { lines: linesFrom(one, items) },
    };
  });
}
