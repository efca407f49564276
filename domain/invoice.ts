import { OmsError } from './errors.ts';
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

/** By what an invoice was priced; recorded with it, so that it can be worked out again. */
export interface Pricing {
  /** Where the goods go, as upstream named it; null without an address. */
  country: string | null;
  /** Tax in basis points: 2000 = 20 %. */
  taxBasisPoints: number;
  /** Shipping of one shipment, minor units of the order's currency. */
  shippingPerShipment: number;
  /** Of the price list, where it had a say. */
  priceListVersion?: number;
  /** Where a price of some line was made up, and how. */
  priceFallback?: PriceFallback;
}

/** What a deployment charges beside the prices of the goods. */
export interface PricingRules {
  /** Basis points by country (ISO 3166-1 alpha-2); `*` = all others, and orders without an address. */
  taxRates: Readonly<Record<string, number>>;
  /** Shipping of one shipment by currency, in its minor units; `*` = all others. */
  shippingPrices: Readonly<Record<string, number>>;
  /** What a SKU costs that the price list does not have. @default none: it cannot be charged */
  fallback?: PriceFallback;
}

const OTHERS = '*';

/** The rules as they apply to an order. */
export function pricingFor(rules: PricingRules, country: string | null, currency: string): Pricing {
  const named = country?.trim().toUpperCase() ?? OTHERS;
  return {
    country,
    taxBasisPoints: rules.taxRates[named] ?? rules.taxRates[OTHERS] ?? 0,
    shippingPerShipment: rules.shippingPrices[currency] ?? rules.shippingPrices[OTHERS] ?? 0,
  };
}

/** The totals of one shipment's invoice; deterministic, so that drawing it again gives the same bill. */
export function invoiceTotals(
  items: readonly { line: number; sku: string; quantity: number; unitPrice: number }[],
  pricing: Pick<Pricing, 'taxBasisPoints' | 'shippingPerShipment'>,
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

/** What a SKU costs that has no price: nothing can be charged for it, or a price made up as the reference does. */
export const PRICE_FALLBACKS = ['none', 'reference'] as const;
type PriceFallback = (typeof PRICE_FALLBACKS)[number];

/** The range the reference draws its prices from, in minor units. */
const LOWEST = 3_500;
const HIGHEST = 11_999;

/** A price for a SKU nobody has priced: always the same for the same SKU, unlike the reference's. Undefined = none. */
export function fallbackPrice(fallback: PriceFallback | undefined, sku: string): number | undefined {
  return fallback === 'reference' ? LOWEST + (hash(sku) % (HIGHEST - LOWEST + 1)) : undefined;
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

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
