import { exact, share, sum } from './money.ts';

/** One priced line. Amounts in minor units. */
export interface InvoiceLine {
  /** Of the order, from 1. */
  line: number;
  sku: string;
  quantity: number;
  unitPrice: number;
  /** unitPrice × quantity */
  amount: number;
  /** on `amount`, rounded half up per line */
  tax: number;
}

export interface InvoiceTotals {
  lines: InvoiceLine[];
  subTotal: number;
  tax: number;
  shipping: number;
  /** subTotal + tax + shipping, exactly */
  total: number;
}

export interface Pricing {
  /** Tax in basis points: 2000 = 20 %. */
  taxBasisPoints: number;
  /** Shipping of one shipment, minor units of the order's currency. */
  shippingPerShipment: number;
}

/** The totals of one shipment's invoice; deterministic, so that drawing it again gives the same bill. */
export function invoiceTotals(
  items: readonly { line: number; sku: string; quantity: number; unitPrice: number }[],
  pricing: Pricing,
): InvoiceTotals {
  const lines = items.map(({ line, sku, quantity, unitPrice }) => {
    const amount = exact(unitPrice * quantity);
    return { line, sku, quantity, unitPrice, amount, tax: share(amount, pricing.taxBasisPoints) };
  });
  const subTotal = sum(lines.map((line) => line.amount));
  const tax = sum(lines.map((line) => line.tax));
  const shipping = exact(pricing.shippingPerShipment);
  return { lines, subTotal, tax, shipping, total: sum([subTotal, tax, shipping]) };
}
