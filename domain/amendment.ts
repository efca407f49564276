import { REASON_FORMS } from './reasons.ts';
import type { OrderItem } from './order.ts';

/**
 * How far a line's fulfillment has come, in the order in which an amendment leaves pieces alone: what is with the
 * carrier cannot be had back, what is charged costs a credit note, what is reserved costs nothing.
 */
const HOLDS = ['shipping', 'charged', 'reserved', 'unavailable'] as const;
export type Hold = (typeof HOLDS)[number];

/** A line of an order as it is held by one of its fulfillments. */
export interface HeldLine {
  fulfillmentId: string;
  line: number;
  sku: string;
  quantity: number;
  /** Minor units; null = the price list decides. */
  unitPrice: number | null;
  hold: Hold;
}

/** What is left of each line after an amendment (0: nothing), or why there can be none, in words. */
export type AmendmentPlan = { left: { held: HeldLine; quantity: number }[] } | { refusal: string };

/**
 * Lowers an order to the lines that are wanted. An amendment can only drop lines and lower quantities, and takes pieces
 * off what is still to be had back; all of it is done, or nothing.
 */
export function planAmendment(held: readonly HeldLine[], wanted: readonly OrderItem[]): AmendmentPlan {
  const left = held
    .toSorted((a, b) => HOLDS.indexOf(a.hold) - HOLDS.indexOf(b.hold))
    .map((line) => ({ held: line, quantity: 0 }));
  for (const [i, item] of wanted.entries()) {
    const missing = keep(item, left);
    if (missing > 0) return { refusal: tooMany(i, item, missing) };
  }
  const gone = left.find(({ held, quantity }) => held.hold === 'shipping' && quantity < held.quantity);
  return gone ? { refusal: tooLate(gone.held) } : { left };
}

/** Keeps pieces for a wanted line; returns how many are not there. */
function keep({ sku, quantity, unitPrice }: OrderItem, left: { held: HeldLine; quantity: number }[]): number {
  let missing = quantity;
  for (const line of left) {
    if (line.held.sku !== sku || (unitPrice !== null && line.held.unitPrice !== unitPrice)) continue;
    const kept = Math.min(missing, line.held.quantity - line.quantity);
    line.quantity += kept;
    missing -= kept;
  }
  return missing;
}

function tooMany(i: number, { sku, quantity, unitPrice }: OrderItem, missing: number): string {
  const price = unitPrice === null ? '' : ` at ${unitPrice}`;
  const rule = `must be at most ${quantity - missing}, what the order still holds of ${sku}${price}`;
  return REASON_FORMS.amendTooMany(i, quantity, rule);
}

function tooLate({ sku, fulfillmentId }: HeldLine): string {
  return REASON_FORMS.amendTooLate(sku, fulfillmentId);
}
