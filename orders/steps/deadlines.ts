import { CAUSES } from '../../domain/causes.ts';
import type { Overdue } from '../../domain/order-messages.ts';
import type { OrderProgress } from '../../domain/progress.ts';
import { REASONS } from '../../domain/reasons.ts';
import { isFinalFulfillment } from '../../domain/status.ts';
import { shipmentEvent } from '../events.ts';
import { giveUp, resume } from '../record/order-step.ts';
import type { StepDependencies } from '../record/order-step.ts';
import { isHandedOver, progressOf } from '../record/progress.ts';
import type { FulfillmentRecord, OrderRecord } from '../record/record.ts';
import { orderStep } from '../record/step.ts';

const OVERDUE_REASONS: Record<Overdue, string> = {
  shipBy: REASONS.notShippedInTime,
  deliverBy: REASONS.notDeliveredInTime,
};
/** The ordinal of the event: each promise is told of once for each shipment. */
const ORDINALS: Record<Overdue, number> = { shipBy: 1, deliverBy: 2 };

/**
 * A promised time has passed: tells it of every shipment that is late and marks the order; nothing else changes. What was
 * in time after all, by the database, is left alone.
 */
export async function tellOverdue(deps: StepDependencies, orderId: string, overdue: Overdue): Promise<OrderProgress> {
  const { order } = await orderStep(deps, orderId, CAUSES[`${overdue}Timer`], (step) => {
    const late = step.order.fulfillments.filter((f) => isLate(f, overdue));
    if (late.length === 0 || isMarked(step.order, overdue)) return;
    step.order.overdue = overdue;
    const words = { cause: step.cause, reason: OVERDUE_REASONS[overdue], ordinal: ORDINALS[overdue] };
    for (const f of late) step.tell(shipmentEvent(step.order, f, 'ShipmentDelayed', words));
  });
  return progressOf(order);
}

function isLate(f: FulfillmentRecord, overdue: Overdue): boolean {
  return !isFinalFulfillment(f.status) && (overdue === 'deliverBy' || !isHandedOver(f));
}

function isMarked({ overdue }: OrderRecord, wanted: Overdue): boolean {
  return overdue !== null && ORDINALS[overdue] >= ORDINALS[wanted];
}

/**
 * Gives up what was not paid for before the deadline of its reservation, so that its stock is free again. A payment that
 * was asked for and not answered yet is due back.
 */
export async function expireReservation(deps: StepDependencies, orderId: string): Promise<OrderProgress> {
  const { order } = await orderStep(deps, orderId, CAUSES.reservationTimer, (step) => {
    const unpaid = step.order.fulfillments.filter((f) => !isFinalFulfillment(f.status) && f.shipment === null);
    for (const f of unpaid)
      giveUp(step, f, f.status === 'unavailable' ? 'cancelled' : 'failed', REASONS.reservationExpired);
    resume(step.order);
  });
  return progressOf(order);
}
