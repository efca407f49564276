import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import { difference, leftOf } from '../../domain/invoice.ts';
import type { InvoiceLine, InvoiceTotals, KeptLine, Pricing } from '../../domain/invoice.ts';
import { sum } from '../../domain/money.ts';
import { creditNoteEvent } from '../events.ts';
import type { OrderStep } from '../record/order-step.ts';
import { isGivenUp } from '../record/progress.ts';
import type { CreditNoteRecord, FulfillmentRecord, InvoiceRecord } from '../record/record.ts';
import { CREDIT_NOTES, documentId, takeNumbers } from './series.ts';
import { giveBack } from './spend.ts';

/**
 * Credits what an amended fulfillment no longer costs: of its invoice only `newItems` (pieces by line of the order) and
 * the shipping stay billed, and the difference is due back once it was taken. Drawn and told when the step is saved.
 * Nothing is needed, and nothing happens, without an invoice. One that is given up is credited in full by itself.
 * @throws OmsError OMS_ORDER_MOVE_ILLEGAL, when the step is saved, for more pieces than were billed
 */
export function creditDifference(
  step: OrderStep,
  fulfillment: FulfillmentRecord,
  newItems: readonly KeptLine[],
  reason: string,
): void {
  if (fulfillment.invoice) step.differences.push({ fulfillment, kept: newItems, reason });
}

/** Whether the step has come to owe a credit note: it is then saved by one transaction that takes its number. */
export function owesCreditNotes(step: OrderStep): boolean {
  return step.differences.length > 0 || step.order.fulfillments.some(isLeftBilled);
}

/** What was billed for goods that will not be kept. */
function isLeftBilled(f: FulfillmentRecord): boolean {
  return f.invoice !== null && isGivenUp(f) && sum(f.creditNotes.map((note) => note.total)) < f.invoice.total;
}

type Owed = { fulfillment: FulfillmentRecord; invoice: InvoiceRecord; totals: InvoiceTotals; reason: string };

/** Draws the credit notes that the step has come to owe, in its transaction, and tells of them. */
export async function drawCreditNotes(step: OrderStep): Promise<void> {
  const owed = await owedBy(step);
  if (owed.length === 0) return;
  // Before the numbers, as drawing an invoice does: two orders of a customer then never wait for each other in a ring.
  await giveBack(step.db, sumsOf(owed));
  const first = await takeNumbers(step.db, CREDIT_NOTES, owed.length);
  for (const [i, { fulfillment, invoice, totals, reason }] of owed.entries()) {
    const { lines, ...amounts } = totals;
    const number = first + i;
    const named = { creditNoteId: documentId(CREDIT_NOTES, number), series: CREDIT_NOTES, number };
    const open = { refunded: 0, issuedAt: step.order.now, settledAt: null };
    const note: CreditNoteRecord = { ...named, ...amounts, reason, ...open, drawn: { lines } };
    fulfillment.creditNotes.push(note);
    step.tell(creditNoteEvent(step.order, fulfillment, { invoice, note, type: 'CreditNoteIssued' }, step));
  }
}

/** By fulfillment: a row can only be updated once in a statement. */
function sumsOf(owed: readonly Owed[]): { id: string; total: number }[] {
  const byId = Map.groupBy(owed, ({ fulfillment }) => fulfillment.id);
  return [...byId].map(([id, all]) => ({ id, total: sum(all.map(({ totals }) => totals.total)) }));
}

async function owedBy(step: OrderStep): Promise<Owed[]> {
  const all = step.order.fulfillments.filter(isLeftBilled);
  const parts = step.differences.filter(({ fulfillment }) => !isGivenUp(fulfillment));
  const billed = await readBilled(step.db, [...all, ...parts.map(({ fulfillment }) => fulfillment)]);
  const owed = [
    ...all.map((f) => ({ fulfillment: f, reason: f.reason ?? f.status, kept: null })),
    ...parts.map(({ fulfillment, reason, kept }) => ({ fulfillment, reason, kept })),
  ];
  return owed.flatMap(({ fulfillment, reason, kept }) => {
    const { invoice } = fulfillment;
    const bill = billed.get(fulfillment.id);
    if (!invoice || !bill) return [];
    const totals = kept ? difference(bill.left, kept, bill.taxBasisPoints) : bill.left;
    return totals.total > 0 ? [{ fulfillment, invoice, totals, reason }] : [];
  });
}

interface Billed {
  left: InvoiceTotals;
  taxBasisPoints: number;
}

interface BilledRow {
  id: string;
  lines: InvoiceLine[];
  pricing: Pricing;
  notes: InvoiceLine[][] | null;
}

/** What is left of the invoices; one drawn in this very step is not in the database yet. */
async function readBilled(db: Database, fulfillments: readonly FulfillmentRecord[]): Promise<Map<string, Billed>> {
  const stored = fulfillments.filter(({ invoice }) => invoice && !invoice.drawn).map(({ id }) => id);
  const { rows } = await sql<BilledRow>`
    select i.fulfillment_id as id, i.lines, i.pricing,
      (select json_agg(c.lines order by c.number) from credit_notes c where c.fulfillment_id = i.fulfillment_id) as notes
    from invoices i where i.fulfillment_id = any(${stored}::text[])
  `.execute(db);
  const read = new Map(rows.map((row) => [row.id, row]));
  return new Map(
    fulfillments.flatMap((f): [string, Billed][] => {
      const drawn: BilledRow | undefined = f.invoice?.drawn && { id: f.id, ...f.invoice.drawn, notes: null };
      const row = drawn ?? read.get(f.id);
      if (!f.invoice || !row) return [];
      const { taxBasisPoints } = row.pricing;
      const notes = f.creditNotes.map((note, i) => ({ ...note, lines: row.notes?.[i] ?? [] }));
      return [[f.id, { left: leftOf({ ...f.invoice, lines: withLine(row.lines, f) }, notes), taxBasisPoints }]];
    }),
  );
}

/** Invoices of version 0.1.0 do not name the order's line; they list the fulfillment's items in their order. */
function withLine(lines: readonly InvoiceLine[], f: FulfillmentRecord): InvoiceLine[] {
  return lines.map((line, i) => ({ ...line, line: (line.line as number | undefined) ?? f.items[i]?.line ?? i + 1 }));
}

/**
 * Settles the credit notes no money has to go back for: nothing was taken, or less will be. Whatever else a step has
 * done, this follows from how the payments now stand.
 */
export function settleCreditNotes({ order }: OrderStep): void {
  for (const f of order.fulfillments) {
    if (isNothingToGiveBack(f)) for (const note of f.creditNotes) note.settledAt ??= order.now;
  }
}

function isNothingToGiveBack(f: FulfillmentRecord): boolean {
  switch (f.payment?.status) {
    case 'pending':
      return false;
    case 'authorized':
      return !isGivenUp(f);
    case 'success':
    case 'refunded':
      return f.payment.refunded >= f.payment.captured;
    case 'failed':
    case 'voided':
    case undefined:
      return true;
  }
}
