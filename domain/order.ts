/** One line of an order as the upstream system sent it. */
export interface OrderItem {
  sku: string;
  /** Pieces, 1 or more. */
  quantity: number;
  /** Minor units of the order's currency; null = the price list decides. */
  unitPrice: number | null;
  description: string | null;
}

/** A postal address. `country` is ISO 3166-1 alpha-2 where upstream knows it, else upstream's own name of it. */
export interface Address {
  name: string | null;
  line1: string | null;
  line2: string | null;
  city: string | null;
  region: string | null;
  postalCode: string | null;
  country: string;
}

/** An order as placed: what the ledger keeps and the workflow's activities read. */
export interface PlacedOrder {
  orderId: string;
  customerId: string;
  /** ISO 4217; one currency per order. */
  currency: string;
  items: OrderItem[];
  shipTo: Address | null;
  source: string;
  /** Upstream's time of the order, ms since the epoch. Data only: never compared with our clocks. */
  placedAt: number;
}

/** Limits of one order event (documented in docs/producing.md). */
export const MAX_ITEMS = 5_000;
export const MAX_EVENT_BYTES = 1_000_000;
export const MAX_QUANTITY = 2_147_483_647;
export const MAX_SKU_CHARACTERS = 128;
export const MAX_CUSTOMER_ID_CHARACTERS = 128;
export const MAX_EVENT_ID_CHARACTERS = 200;
export const MAX_SOURCE_CHARACTERS = 100;

/** The version of the function below that new ledger rows are written with. An older version stays here for ever. */
export const FINGERPRINT_VERSION = 1;

/**
 * What makes two order events the same order, as one canonical text (hashed by the ledger). Version 1 covers customer,
 * currency, ship-to and the items as a multiset of SKU, quantity and unit price; absent and null are the same. Times,
 * descriptions and the envelope do not count: a producer may send the same order again with a new event id.
 * @throws RangeError for a version this build does not know
 */
export function fingerprintText(order: PlacedOrder, version: number = FINGERPRINT_VERSION): string {
  if (version !== 1) throw new RangeError(`unknown fingerprint version ${version}`);
  const a = order.shipTo;
  const shipTo = a && [a.name, a.line1, a.line2, a.city, a.region, a.postalCode, a.country].map((part) => part ?? null);
  const items = order.items.map((item: OrderItem) => JSON.stringify([item.sku, item.quantity, item.unitPrice ?? null]));
  return JSON.stringify([order.customerId, order.currency, shipTo ?? null, items.sort()]);
}
