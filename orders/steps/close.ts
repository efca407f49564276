import { CAUSES } from '../../domain/causes.ts';
import { isSettled } from '../../domain/progress.ts';
import type { OrderProgress } from '../../domain/progress.ts';
import { REASONS } from '../../domain/reasons.ts';
import { finalOrderStatus, isFinalFulfillment, isFinalOrder } from '../../domain/status.ts';
import { giveUp, moveOrder } from '../record/order-step.ts';
import type { HandledEvent, OrderStep, StepDependencies } from '../record/order-step.ts';
import { isCaptureDue, isRefundDue, progressOf } from '../record/progress.ts';
import type { OrderRecord } from '../record/record.ts';
import { orderStep } from '../record/step.ts';

export interface CloseRequest {
  /** The incoming events the workflow is done with, and what became of them. */
  handled: HandledEvent[];
  /** The customer did not decide in time. */
  timedOut: boolean;
}

/**
 * Closes the order and its ledger row, if nothing of it is open any more: its status follows from what became of its
 * parts. Otherwise it answers how far the order is. A repeat only adds events that were handled since.
 */
export async function closeOrder(
  deps: StepDependencies,
  orderId: string,
  request: CloseRequest,
): Promise<OrderProgress> {
  const { order } = await orderStep(deps, orderId, CAUSES.closeOrder, (step) => {
    const { order } = step;
    settle(step);
    const ended = isFinalOrder(order.status) || isReadyToClose(order);
    if (ended) step.handled.push(...request.handled);
    if (ended && !isFinalOrder(order.status)) {
      moveOrder(order, request.timedOut ? 'timedOut' : finalOrderStatus(order.fulfillments.map((f) => f.status)));
      order.closedAt = order.now;
    }
  });
  return progressOf(order);
}

/** A shipment the carrier has called off by itself leaves a fulfillment that will not be shipped. */
function settle(step: OrderStep): void {
  for (const f of step.order.fulfillments) {
    if (f.status === 'processing' && f.shipment?.status === 'cancelled') {
      giveUp(step, f, 'failed', REASONS.shipmentCalledOff);
    }
  }
}

function isReadyToClose(order: OrderRecord): boolean {
  const allEnded = order.fulfillments.every((f) => isFinalFulfillment(f.status));
  return allEnded && isSettled(progressOf(order)) && !order.fulfillments.some((f) => isRefundDue(f) || isCaptureDue(f));
}

/** Something that was asked for and will not be done. */
export interface Refusal {
  event: HandledEvent;
  /** Error code and words, for people. */
  reason: string;
}

/** Writes down why something that was asked for will not be done; the order goes on. */
export async function noteRefusal(deps: StepDependencies, orderId: string, refusal: Refusal): Promise<OrderProgress> {
  const { order } = await orderStep(deps, orderId, refusal.event.eventId, (step) => {
    step.handled.push({ ...refusal.event, reason: refusal.reason });
    if (!isFinalOrder(step.order.status)) step.order.reason = refusal.reason;
  });
  return progressOf(order);
}
