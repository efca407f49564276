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
