import { fewestShipments } from '../../domain/allocation.ts';
import type { Overdue } from '../../domain/lifecycle.ts';
import { amendOrder, dropUnavailable } from '../../orders/steps/amend.ts';
import type { AmendRequest } from '../../orders/steps/amend.ts';
import { beginCancel } from '../../orders/steps/cancel.ts';
import type { CancelRequest } from '../../orders/steps/cancel.ts';
import { closeOrder, noteRefusal } from '../../orders/steps/close.ts';
import type { CloseRequest, Refusal } from '../../orders/steps/close.ts';
import { expireReservation, tellOverdue } from '../../orders/steps/deadlines.ts';
import { takeOrder } from '../../orders/steps/take.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** Steps of the order's own state. */
export function createOrderActivities(deps: ActivityDependencies) {
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
