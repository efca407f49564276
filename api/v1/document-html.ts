import type { CreditNoteDocument, InvoiceView } from '../../database/read/invoices.ts';
import type { PaymentStatus } from '../../domain/status.ts';
import { html, moneyText } from '../html.ts';
import type { HtmlPage } from '../html.ts';
import { documentPage, section } from './document-page.ts';
import type { State } from './document-page.ts';

/** An invoice as a page to read and to print. */
export function invoicePage(invoice: InvoiceView): HtmlPage {
  const { invoiceId, orderId, fulfillmentId, customerId, issuedAt, currency, payment, creditNotes } = invoice;
  const money = (amount: number) => moneyText(amount, currency);
  return documentPage({
    title: `Invoice ${invoiceId}`,
    kind: 'Invoice',
    number: invoiceId,
    state: stateOf(payment?.status ?? 'pending'),
    facts: [
      ['Issued', dateText(issuedAt)],
      ['Order', orderId],
      ['Shipment', fulfillmentId],
      ['Customer', customerId],
    ],
    document: invoice,
    taxName: `Tax ${percent(invoice.pricing.taxBasisPoints)}`,
    totalName: 'Total',
    after: [
      payment &&
        section('Payment', [
          ['Status', stateOf(payment.status).text],
          ['Taken', `${money(payment.captured)} ${currency}`],
          ['Given back', payment.refunded > 0 ? `${money(payment.refunded)} ${currency}` : null],
          ['Reference', payment.reference],
          ['Declined', payment.declineReason],
          ['Settled', payment.settledAt && dateText(payment.settledAt)],
        ]),
      creditNotes.length > 0 &&
        section(
          'Credit notes',
          creditNotes.map(({ creditNoteId, total, reason }) => [
            creditNoteId,
            html`−${money(total)} ${currency} <span class="quiet">${reason}</span>`,
          ]),
        ),
    ],
  });
}

/** A credit note as a page to read and to print. */
export function creditNotePage(note: CreditNoteDocument): HtmlPage {
  const { creditNoteId, invoiceId, orderId, fulfillmentId, customerId, issuedAt, settledAt, reason } = note;
  return documentPage({
    title: `Credit note ${creditNoteId}`,
    kind: 'Credit note',
    number: creditNoteId,
    state: settledAt ? { text: 'Settled', tone: 'good' } : { text: 'Open', tone: 'open' },
    facts: [
      ['Issued', dateText(issuedAt)],
      ['For invoice', invoiceId],
      ['Order', orderId],
      ['Shipment', fulfillmentId],
      ['Customer', customerId],
      ['Reason', reason],
    ],
    document: note,
    taxName: 'Tax',
    totalName: 'Total credited',
    after: [
      section('Refund', [
        ['Given back', `${moneyText(note.refunded, note.currency)} ${note.currency}`],
        ['Settled', settledAt ? dateText(settledAt) : 'not yet'],
      ]),
    ],
  });
}

function stateOf(status: PaymentStatus): State {
  switch (status) {
    case 'success':
      return { text: 'Paid', tone: 'good' };
    case 'refunded':
      return { text: 'Refunded', tone: 'good' };
    case 'pending':
      return { text: 'Open', tone: 'open' };
    case 'authorized':
      return { text: 'Authorized', tone: 'open' };
    case 'voided':
      return { text: 'Voided', tone: 'bad' };
    case 'failed':
      return { text: 'Payment failed', tone: 'bad' };
  }
}

const dateText = (time: Date): string =>
  `${time.toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' })}`;

/** Basis points as people read them: 2000 = 20 %. */
const percent = (basisPoints: number): string => `${basisPoints / 100} %`;
