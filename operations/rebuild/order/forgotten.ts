import type { InvoiceLine } from '../../../domain/invoice.ts';
import { exact, share, sum } from '../../../domain/money.ts';
import type { FulfillmentItemRecord } from '../../../orders/record/record.ts';

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
  const amounts = amountsOf(items, subTotal);
  const taxes = parts(
    tax,
    amounts,
    amounts.map((amount) => share(amount, taxBasisPoints)),
  );
  const left = items.map(({ line, sku, quantity, unitPrice }, i) => {
    const amount = amounts[i] ?? 0;
    return {
      line,
      sku,
      quantity,
      unitPrice: unitPrice ?? Math.round(amount / Math.max(1, quantity)),
      amount,
      tax: taxes[i] ?? 0,
    };
  });
  return [...left, ...credited];
}

/** What of the sum falls on each item: by its own price where the order names one, and of the rest by pieces. */
function amountsOf(items: readonly FulfillmentItemRecord[], subTotal: number): number[] {
  const priced = items.map(({ unitPrice, quantity }) => (unitPrice === null ? null : exact(unitPrice * quantity)));
  const rest = subTotal - sum(priced.map((amount) => amount ?? 0));
  const open = items.map(({ quantity }, i) => (priced[i] === null ? quantity : 0));
  if (rest >= 0 && (rest === 0 || sum(open) > 0)) return parts(rest, open).map((part, i) => priced[i] ?? part);
  return parts(
    subTotal,
    items.map(({ quantity }) => quantity),
  );
}

/** The total in as many parts: those expected where they come to it, else by weight, to the last minor unit. */
function parts(total: number, weights: readonly number[], expected?: readonly number[]): number[] {
  if (expected && sum(expected) === total) return [...expected];
  const used = sum(weights) > 0 ? weights : weights.map(() => 1);
  const whole = BigInt(sum(used));
  let upTo = 0n;
  let given = 0n;
  return used.map((weight) => {
    upTo += BigInt(weight);
    const part = (BigInt(total) * upTo) / whole - given;
    given += part;
    return Number(part);
  });
}
