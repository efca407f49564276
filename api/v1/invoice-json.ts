import type { z } from 'zod';
import type { CreditNoteView, DescribedLine, InvoiceView, ListedInvoice } from '../../database/read/invoices.ts';
import type { creditNote, invoice, invoicePage, listedNote } from './invoice-schemas.ts';
import { iso, isoOrNull } from './json.ts';

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
