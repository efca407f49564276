import { OmsError } from './errors.ts';
import type { InvoiceLine, InvoiceTotals } from './invoice.ts';
import { exact, share, sum } from './money.ts';

/** A line of the order, and how many of its pieces stay. */
export interface KeptLine {
  line: number;
  quantity: number;
}

function totalsOf(lines: InvoiceLine[], shipping: number): InvoiceTotals {
  const subTotal = sum(lines.map((line) => line.amount));
  const tax = sum(lines.map((line) => line.tax));
  return { lines, subTotal, tax, shipping, total: sum([subTotal, tax, shipping]) };
}

/** What of an invoice its credit notes have left: lines without pieces are gone. */
export function leftOf(invoice: InvoiceTotals, notes: readonly InvoiceTotals[]): InvoiceTotals {
  const credited = Map.groupBy(
    notes.flatMap((note) => note.lines),
    ({ line }) => line,
  );
  const lines = invoice.lines.flatMap((line) => {
    const off = credited.get(line.line) ?? [];
    const quantity = line.quantity - sum(off.map((one) => one.quantity));
    const amount = line.amount - sum(off.map((one) => one.amount));
    const tax = line.tax - sum(off.map((one) => one.tax));
    return quantity > 0 ? [{ ...line, quantity, amount, tax }] : [];
  });
  return totalsOf(lines, invoice.shipping - sum(notes.map((note) => note.shipping)));
}

/**
 * What to credit so that of `left` only the kept pieces are billed, each line taxed as if it had been invoiced so. The
 * shipment still goes: its shipping is not credited.
 * @throws OmsError OMS_ORDER_MOVE_ILLEGAL when more is kept than was billed: the caller has to look first
 */
export function difference(left: InvoiceTotals, kept: readonly KeptLine[], taxBasisPoints: number): InvoiceTotals {
  const stays = new Map(kept.map(({ line, quantity }) => [line, quantity]));
  for (const { line, quantity } of kept) {
    const billed = left.lines.find((one) => one.line === line)?.quantity ?? 0;
    if (quantity > billed) {
      throw new OmsError('OMS_ORDER_MOVE_ILLEGAL', `line ${line} cannot grow from ${billed} to ${quantity} pieces`);
    }
  }
  const lines = left.lines.flatMap((line) => {
    const quantity = stays.get(line.line) ?? 0;
    const amount = exact(line.unitPrice * quantity);
    const tax = share(amount, taxBasisPoints);
    const off = { quantity: line.quantity - quantity, amount: line.amount - amount, tax: line.tax - tax };
    return off.quantity > 0 ? [{ ...line, ...off }] : [];
  });
  return totalsOf(lines, 0);
}
