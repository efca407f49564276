import type { PricingRules } from '../../domain/invoice.ts';
import type { Config } from './settings.ts';

/** What this deployment charges, for whoever draws invoices. */
export function pricingRules(config: Config): PricingRules {
  return {
    taxRates: { '*': config.OMS_TAX_RATE, ...config.OMS_TAX_RATES },
    shippingPrices: { '*': config.OMS_SHIPPING_PRICE, ...config.OMS_SHIPPING_PRICES },
    fallback: config.OMS_PRICE_FALLBACK,
  };
}
