import type { OrderItem, PlacedOrder } from './order.ts';

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
