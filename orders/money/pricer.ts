import type { Database } from '../../database/database.ts';
import { OmsError } from '../../domain/errors.ts';
import { fallbackPrice, invoiceTotals, pricingFor } from '../../domain/invoice.ts';
import type { InvoiceTotals, Pricing, PricingRules } from '../../domain/invoice.ts';
import { readPriceList } from './price-list.ts';
import type { PriceList } from './price-list.ts';

/** A line to be priced. */
export interface UnpricedLine {
  line: number;
  sku: string;
  quantity: number;
  /** Minor units; null = the price list decides. */
  unitPrice: number | null;
}

/** Works out what the lines of one shipment cost. */
export interface Pricer {
  /** @throws OmsError OMS_PRICE_MISSING, OMS_MONEY_OVERFLOW */
  price(items: readonly UnpricedLine[]): { totals: InvoiceTotals; pricing: Pricing };
}

/** A pricer for these lines or some of them: by their own prices, the price list as it is now, and the deployment's rules. */
export async function openPricer(
  db: Database,
  rules: PricingRules,
  { currency, country, items }: { currency: string; country: string | null; items: readonly UnpricedLine[] },
): Promise<Pricer> {
  const general = pricingFor(rules, country, currency);
  const unpriced = items.filter(({ unitPrice }) => unitPrice === null).map(({ sku }) => sku);
  const list = unpriced.length > 0 ? await readPriceList(db, currency, unpriced) : null;
  return {
    price: (lines) => {
      const priced = lines.map((line) => ({ ...line, unitPrice: priceOf(line, list, rules, currency) }));
      const pricing = { ...general, ...sourcesOf(lines, list, rules) };
      return { pricing, totals: invoiceTotals(priced, pricing) };
    },
  };
}

function priceOf({ sku, unitPrice }: UnpricedLine, list: PriceList | null, rules: PricingRules, currency: string) {
  const price = unitPrice ?? list?.prices.get(sku) ?? fallbackPrice(rules.fallback, sku);
  if (price !== undefined) return price;
  throw new OmsError('OMS_PRICE_MISSING', `no price for ${sku} in ${currency}`);
}

/** What had a say in the prices beside the lines themselves. */
function sourcesOf(
  lines: readonly UnpricedLine[],
  list: PriceList | null,
  { fallback }: PricingRules,
): Pick<Pricing, 'priceListVersion' | 'priceFallback'> {
  const listed = lines.filter(({ unitPrice }) => unitPrice === null);
  if (!list || listed.length === 0) return {};
  const isMadeUp = fallback !== undefined && listed.some(({ sku }) => !list.prices.has(sku));
  return { priceListVersion: list.version, ...(isMadeUp ? { priceFallback: fallback } : {}) };
}
