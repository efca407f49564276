import type { InvoiceLine } from '../../domain/invoice.ts';
import { exact, share, sum } from '../../domain/money.ts';
import type { FulfillmentItemRecord } from '../orders/record.ts';

/** Sums of a document, minor units. */
interface Sums {
  subTotal: number;
  tax: number;
}

/** Beyond the lines of any order. */
const CREDITED_LINE = 1_000_000;
const CREDITED_SKU = '(credited)';

/** The one line of a credit note whose own are forgotten; its invoice has the same. */
export function creditedLine({ subTotal, tax }: Sums, i: number): InvoiceLine {
  const billed = { quantity: 1, unitPrice: subTotal, amount: subTotal, tax };
  return { line: CREDITED_LINE + i, sku: CREDITED_SKU, ...billed };
}

/**
 * Lines of an invoice that is known by its sums only: what its credit notes took off, a line each, and the fulfillment's
 * items as they stand with all that is left. So what is given up later is credited to the last cent, and nothing twice.
 */
export function linesOfSums(
  invoice: Sums,
  notes: readonly Sums[],
  items: readonly FulfillmentItemRecord[],
  taxBasisPoints: number,
): InvoiceLine[] {
  const subTotal = invoice.subTotal - sum(notes.map((note) => note.subTotal));
  const tax = invoice.tax - sum(notes.map((note) => note.tax));
  const credited = notes.map(creditedLine);
  if (subTotal <= 0) return credited;
  const prices = items.map(({ unitPrice, quantity }) => exact((unitPrice ?? 0) * quantity));
  const weights = prices.every((price) => price > 0) ? prices : items.map(({ quantity }) => quantity);
  const amounts = parts(subTotal, weights, prices);
  const taxes = parts(
    tax,
    amounts,
    amounts.map((amount) => share(amount, taxBasisPoints)),
  );
  const left = items.map(({ line, sku, quantity, unitPrice }, i) => {
    const amount = amounts[i] ?? 0;
    return { line, sku, quantity, unitPrice: unitPrice ?? Math.round(amount / quantity), amount, tax: taxes[i] ?? 0 };
  });
  return [...left, ...credited];
}

/** The total in as many parts: those expected where they come to it, else by weight, to the last minor unit. */
function parts(total: number, weights: readonly number[], expected: readonly number[]): number[] {
  if (sum(expected) === total) return [...expected];
  const whole = BigInt(Math.max(1, sum(weights)));
  let upTo = 0n;
  let given = 0n;
  return weights.map((weight) => {
    upTo += BigInt(weight);
    const part = (BigInt(total) * upTo) / whole - given;
    given += part;
    return Number(part);
  });
}
