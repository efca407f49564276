import { OmsError } from '../../domain/errors.ts';
import { canMoveFulfillment, canMoveOrder, canMovePayment, canMoveShipment } from '../../domain/status.ts';
import type { FulfillmentStatus, OrderStatus, PaymentStatus, ShipmentStatus } from '../../domain/status.ts';
import { isHandedOver } from './progress.ts';
import type { FulfillmentRecord, OrderRecord, PaymentRecord, ShipmentRecord } from './record.ts';
import type { OrderStep } from './step-types.ts';

/** @throws OmsError OMS_ORDER_MOVE_ILLEGAL: the caller has to look first, so this is a bug */
function illegal(id: string, from: string, to: string): OmsError {
  return new OmsError('OMS_ORDER_MOVE_ILLEGAL', `${id} cannot go from ${from} to ${to}`);
}

export function moveOrder(order: OrderRecord, to: OrderStatus): void {
  if (!canMoveOrder(order.status, to)) throw illegal(order.orderId, order.status, to);
  order.status = to;
}

export function moveFulfillment(f: FulfillmentRecord, to: FulfillmentStatus, reason: string | null = null): void {
  if (!canMoveFulfillment(f.status, to)) throw illegal(f.id, f.status, to);
  f.status = to;
  f.reason = reason;
}

export function moveShipment(f: FulfillmentRecord, shipment: ShipmentRecord, to: ShipmentStatus): void {
  if (!canMoveShipment(shipment.status, to)) throw illegal(f.id, shipment.status, to);
  shipment.status = to;
}

export function movePayment(f: FulfillmentRecord, payment: PaymentRecord, to: PaymentStatus): void {
  if (!canMovePayment(payment.status, to)) throw illegal(f.id, payment.status, to);
  payment.status = to;
}

/** Gives a fulfillment up: what is still promised to it is free again. */
export function giveUp(step: OrderStep, f: FulfillmentRecord, to: 'cancelled' | 'failed', reason: string): void {
  moveFulfillment(f, to, reason);
  if (!isHandedOver(f)) step.moveStock({ kind: 'release', fulfillment: f });
}

/** Without what was unavailable there is nothing for the customer to decide; the rest goes on. */
export function resume(order: OrderRecord): void {
  if (order.status !== 'customerActionRequired') return;
  const statuses = order.fulfillments.map((f) => f.status);
  if (!statuses.includes('unavailable') && statuses.includes('pending')) moveOrder(order, 'processing');
}
