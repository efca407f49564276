import { fewestShipments } from '../../domain/allocation.ts';
import type { ActivityName } from '../../domain/contract.ts';
import type { Overdue } from '../../domain/order-messages.ts';
import { amendOrder, dropUnavailable } from '../../orders/steps/amend.ts';
import type { AmendRequest } from '../../orders/steps/amend.ts';
import { beginCancel } from '../../orders/steps/cancel.ts';
import type { CancelRequest } from '../../orders/steps/cancel.ts';
import { closeOrder, noteRefusal } from '../../orders/steps/close.ts';
import type { CloseRequest, Refusal } from '../../orders/steps/close.ts';
import { expireReservation, tellOverdue } from '../../orders/steps/deadlines.ts';
import { takeOrder } from '../../orders/steps/take.ts';
import { createBook, createCarrierActivities } from './carrier.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { localStep, providerStep } from './failures.ts';
import { createQuickActivities } from './fulfil.ts';
import { createCharge, createPaymentActivities } from './payment.ts';

/**
 * The activities of the order workflow. Each answers how far the order is, read from the database in the same
 * transaction, and each is safe to run twice.
 */
export function createActivities(deps: ActivityDependencies) {
  const charge = createCharge(deps);
  const book = createBook(deps);
  return {
    ...localStep(deps, createOrderActivities(deps)),
    ...providerStep(deps, createPaymentActivities(deps, charge)),
    ...providerStep(deps, createCarrierActivities(deps, book)),
    ...providerStep(deps, createQuickActivities({ charge, book, logger: deps.logger })),
  } satisfies Record<ActivityName, unknown>;
}

/** What the workflow sees of the activities. */
export type Activities = ReturnType<typeof createActivities>;

/** Steps of the order's own state. */
function createOrderActivities(deps: ActivityDependencies) {
  const strategy = deps.strategy ?? fewestShipments;
  return {
    takeOrder: (orderId: string, runId: string) => takeOrder({ ...deps, strategy }, orderId, runId),
    dropUnavailable: (orderId: string, cause: string) => dropUnavailable(deps, orderId, cause),
    beginCancel: (orderId: string, request: CancelRequest) => beginCancel(deps, orderId, request),
    noteRefusal: (orderId: string, refusal: Refusal) => noteRefusal(deps, orderId, refusal),
    amendOrder: (orderId: string, request: AmendRequest) => amendOrder(deps, orderId, request),
    expireReservation: (orderId: string) => expireReservation(deps, orderId),
    tellOverdue: (orderId: string, overdue: Overdue) => tellOverdue(deps, orderId, overdue),
    closeOrder: (orderId: string, request: CloseRequest) => closeOrder(deps, orderId, request),
  };
}
