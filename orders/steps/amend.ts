import { planAmendment } from '../../domain/amendment.ts';
import type { AmendmentPlan, HeldLine, Hold } from '../../domain/amendment.ts';
import type { Address, OrderItem } from '../../domain/order.ts';
import type { OrderProgress } from '../../domain/progress.ts';
import { REASONS, REASON_FORMS } from '../../domain/reasons.ts';
import { isFinalFulfillment } from '../../domain/status.ts';
import { creditDifference } from '../money/credit-notes.ts';
import { giveUp, moveOrder, resume } from '../record/order-step.ts';
import type { OrderStep, StepDependencies } from '../record/order-step.ts';
import { progressOf } from '../record/progress.ts';
import type { FulfillmentRecord, OrderRecord } from '../record/record.ts';
import { orderStep } from '../record/step.ts';

/** How an order is to be changed. */
export interface AmendRequest {
  /** Id of the incoming event. */
  cause: string;
  /** All lines as they should be; null = unchanged. */
  items: OrderItem[] | null;
  /** Null = unchanged. */
  shipTo: Address | null;
}

export interface AmendResult {
  progress: OrderProgress;
  /** Why nothing was changed, with its error code; null when all was. */
  refusal: string | null;
}

/** Changes an order as far as no carrier has its parts in hand: all that is wished, or nothing. A repeat changes nothing. */
export async function amendOrder(deps: StepDependencies, orderId: string, request: AmendRequest): Promise<AmendResult> {
  const { result, order } = await orderStep(deps, orderId, request.cause, (step) => {
    const plan = planOf(step.order, request);
    if ('refusal' in plan) return plan.refusal;
    if (request.items) lower(step, plan.left);
    if (request.shipTo) step.order.shipTo = request.shipTo;
    return null;
  });
  return { progress: progressOf(order), refusal: result };
}

/** Why the order cannot be changed so as it stands, with the error code; null when it can. */
export function amendmentRefusal(order: OrderRecord, request: Omit<AmendRequest, 'cause'>): string | null {
  const plan = planOf(order, request);
  return 'refusal' in plan ? plan.refusal : null;
}

function planOf(order: OrderRecord, { items, shipTo }: Omit<AmendRequest, 'cause'>): AmendmentPlan {
  const refusal = refusalOfAddress(order, shipTo);
  if (refusal !== null) return { refusal };
  return items ? planAmendment(heldLines(order), items) : { left: [] };
}

/** What the order holds of each line. Fulfillments that were given up hold nothing. */
function heldLines({ fulfillments }: OrderRecord): HeldLine[] {
  return fulfillments
    .filter((f) => f.status === 'completed' || !isFinalFulfillment(f.status))
    .flatMap((f) => f.items.map((item) => ({ ...item, fulfillmentId: f.id, hold: holdOf(f) })));
}

/** A booking that may have been asked for counts as made: the carrier knows what it is to carry. */
function holdOf(f: FulfillmentRecord): Hold {
  if (f.shipment || f.status === 'completed') return 'shipping';
  if (f.invoice) return 'charged';
  return f.warehouse === null ? 'unavailable' : 'reserved';
}

function lower(step: OrderStep, left: { held: HeldLine; quantity: number }[]): void {
  for (const f of step.order.fulfillments) {
    const mine = left.filter(({ held }) => held.fulfillmentId === f.id);
    if (mine.every(({ held, quantity }) => held.quantity === quantity)) continue;
    const quantityOf = new Map(mine.map(({ held, quantity }) => [held.line, quantity]));
    lowerOne(step, f, quantityOf);
  }
  resume(step.order);
}

function lowerOne(step: OrderStep, f: FulfillmentRecord, quantityOf: ReadonlyMap<number, number>): void {
  const left = f.items.map((item) => ({ ...item, quantity: quantityOf.get(item.line) ?? 0 }));
  const kept = left.filter((item) => item.quantity > 0);
  if (kept.length === 0) return giveUp(step, f, 'cancelled', REASONS.amendedAway);
  const taken = f.items.map((item, i) => ({ ...item, quantity: item.quantity - (left[i]?.quantity ?? 0) }));
  step.moveStock({ kind: 'release', fulfillment: { ...f, items: taken.filter((item) => item.quantity > 0) } });
  creditDifference(step, f, kept, REASONS.amended);
  f.items = kept;
}

function refusalOfAddress(order: OrderRecord, shipTo: Address | null): string | null {
  if (!shipTo || sameAddress(shipTo, order.shipTo)) return null;
  const booked = order.fulfillments.find((f) => f.shipment !== null);
  if (booked) return REASON_FORMS.addressTooLate(booked.id);
  const billed = order.fulfillments.find((f) => f.invoice !== null && !isFinalFulfillment(f.status));
  if (!billed || order.shipTo?.country === shipTo.country) return null;
  return REASON_FORMS.countryTooLate(shipTo.country, billed.id);
}

function sameAddress(a: Address, b: Address | null): boolean {
  const parts = (one: Address) => [one.name, one.line1, one.line2, one.city, one.region, one.postalCode, one.country];
  return b !== null && JSON.stringify(parts(a)) === JSON.stringify(parts(b));
}

/** The customer goes on without what is unavailable. A repeat changes nothing. */
export async function dropUnavailable(deps: StepDependencies, orderId: string, cause: string): Promise<OrderProgress> {
  const { order } = await orderStep(deps, orderId, cause, (step) => {
    if (step.order.status === 'customerActionRequired') {
      const missing = step.order.fulfillments.filter((f) => f.status === 'unavailable');
      for (const f of missing) giveUp(step, f, 'cancelled', REASONS.withoutUnavailable);
      moveOrder(step.order, 'processing');
    }
  });
  return progressOf(order);
}
