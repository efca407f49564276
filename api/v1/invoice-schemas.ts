import { z } from 'zod';
import type { CreditNoteView, DescribedLine, InvoiceView, ListedInvoice } from '../../database/read/invoices.ts';
import { PAYMENT_STATUSES } from '../../domain/status.ts';
import { iso, isoOrNull, minorUnits, next, time } from './atoms.ts';
import { payment } from './order-schemas.ts';

const amounts = {
  currency: z.string(),
  subTotal: minorUnits,
  tax: minorUnits,
  shipping: minorUnits,
  total: minorUnits,
};
const about = { fulfillmentId: z.string(), orderId: z.string(), customerId: z.string() };

const listed = z
  .object({
    invoiceId: z.string(),
    ...about,
    ...amounts,
    issuedAt: time.describe('Lists are ordered by it.'),
    paymentStatus: z.enum(PAYMENT_STATUSES).nullable(),
    credited: minorUnits.describe('In all, by its credit notes.'),
  })
  .meta({ id: 'ListedInvoice' });

export const invoicePage = z.object({ items: z.array(listed), next }).meta({ id: 'InvoicePage' });

const line = z
  .object({
    line: z.int().optional().describe('Of the order. Documents of version 0.1 do not name it.'),
    sku: z.string(),
    description: z.string().nullable(),
    quantity: z.int(),
    unitPrice: minorUnits,
    amount: minorUnits,
    tax: minorUnits,
  })
  .meta({ id: 'InvoiceLine' });

const note = z.object({
  creditNoteId: z.string(),
  invoiceId: z.string(),
  ...about,
  ...amounts,
  reason: z.string(),
  refunded: minorUnits.describe('Given back for it: its total, or nothing where nothing was taken.'),
  issuedAt: time,
  settledAt: time.nullable().describe('Null while money has to go back for it, or may have to.'),
});

export const listedNote = note.meta({ id: 'ListedCreditNote' });
export const creditNotePage = z.object({ items: z.array(listedNote), next }).meta({ id: 'CreditNotePage' });
export const creditNote = note.extend({ lines: z.array(line) }).meta({ id: 'CreditNoteDocument' });

export const invoice = listed
  .extend({
    lines: z.array(line),
    pricing: z
      .object({
        country: z.string().nullable(),
        taxBasisPoints: z.int().describe('2000 = 20 %.'),
        shippingPerShipment: minorUnits,
        priceListVersion: z.int().optional().describe('Where the price list had a say.'),
      })
      .describe('By what it was priced.'),
    payment: payment.nullable(),
    creditNotes: z.array(listedNote),
  })
  .meta({ id: 'Invoice' });

export function listedJson({ issuedAt, ...rest }: ListedInvoice): z.output<typeof invoicePage>['items'][number] {
  return { ...rest, issuedAt: iso(issuedAt) };
}

export function invoiceJson({ shipTo: _shipTo, payment, creditNotes, ...rest }: InvoiceView): z.output<typeof invoice> {
  return {
    ...rest,
    ...listedJson(rest),
    payment: payment && { ...payment, settledAt: isoOrNull(payment.settledAt) },
    creditNotes: creditNotes.map(noteJson),
  };
}

export function noteJson({ issuedAt, settledAt, ...note }: CreditNoteView): z.output<typeof listedNote> {
  return { ...note, issuedAt: iso(issuedAt), settledAt: isoOrNull(settledAt) };
}

export function creditNoteJson(note: CreditNoteView & { lines: DescribedLine[] }): z.output<typeof creditNote> {
  return { ...noteJson(note), lines: note.lines };
}
