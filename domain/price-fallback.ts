/** What a SKU costs that has no price: nothing can be charged for it, or a price made up as the reference does. */
export const PRICE_FALLBACKS = ['none', 'reference'] as const;
export type PriceFallback = (typeof PRICE_FALLBACKS)[number];

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
