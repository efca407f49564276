import type { GivenUpAs } from '../../domain/order-messages.ts';
import type { OrderProgress } from '../../domain/progress.ts';
import { canMoveFulfillment, isFinalFulfillment } from '../../domain/status.ts';
import { giveUp, resume } from '../record/order-step.ts';
import type { StepDependencies } from '../record/order-step.ts';
import { isHandedOver, progressOf } from '../record/progress.ts';
import { fulfillmentOf } from '../record/record.ts';
import type { FulfillmentRecord } from '../record/record.ts';
import { orderStep } from '../record/step.ts';
import { callOff } from './shipping.ts';

/** A wish to cancel. */
export interface CancelRequest {
  /** Only this fulfillment; null = all of the order. */
  fulfillmentId: string | null;
  /** Id of the incoming event. */
  cause: string;
  /** Why, for people. */
  reason: string;
  /** How what is given up ends. @default cancelled */
  as?: GivenUpAs;
}

export interface CancelResult {
  progress: OrderProgress;
  /** To be called off at the carrier before anything else of theirs is undone. */
  askCarrier: string[];
  /** Wished to be cancelled, and not to be had back any more. */
  tooLate: string[];
}

/**
 * First part of a cancel: gives up what no carrier knows of. From here on an answer to a charge that comes late finds
 * the fulfillment given up. Harmless to repeat.
 */
export async function beginCancel(
  deps: StepDependencies,
  orderId: string,
  request: CancelRequest,
): Promise<CancelResult> {
  const { result, order } = await orderStep(deps, orderId, request.cause, (step) => {
    const result: Omit<CancelResult, 'progress'> = { askCarrier: [], tooLate: [] };
    for (const f of step.order.fulfillments.filter((f) => isWanted(f, request))) {
      if (isHandedOver(f) || f.status === 'completed') result.tooLate.push(f.id);
      else if (isFinalFulfillment(f.status)) continue;
      else if (f.shipment?.status === 'pending' || f.shipment?.status === 'booked') result.askCarrier.push(f.id);
      else giveUp(step, f, endOf(f, request), request.reason);
    }
    resume(step.order);
    return result;
  });
  return { ...result, progress: progressOf(order) };
}

/** What was never available cannot fail. */
function endOf(f: FulfillmentRecord, { as = 'cancelled' }: CancelRequest): GivenUpAs {
  return canMoveFulfillment(f.status, as) ? as : 'cancelled';
}

function isWanted(f: FulfillmentRecord, { fulfillmentId }: CancelRequest): boolean {
  return fulfillmentId === null || f.id === fulfillmentId;
}

/** Second part: the carrier has called these off for good, so nothing of them will be shipped. */
export async function recordCalledOff(
  deps: StepDependencies,
  orderId: string,
  ids: readonly string[],
  request: CancelRequest,
): Promise<OrderProgress> {
  const { order } = await orderStep(deps, orderId, request.cause, (step) => {
    for (const id of ids) {
      const f = fulfillmentOf(step.order, id);
      if (!f?.shipment || isFinalFulfillment(f.status) || isHandedOver(f)) continue;
      callOff(step, f, f.shipment, request.reason);
      giveUp(step, f, endOf(f, request), request.reason);
    }
  });
  return progressOf(order);
}
