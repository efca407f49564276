import type { Database } from '../../database/database.ts';
import type { EventEncoder, NewEvent } from '../../database/outbox/outbox.ts';
import { OmsError } from '../../domain/errors.ts';
import type { KeptLine } from '../../domain/invoice.ts';
import { canMoveFulfillment, canMoveOrder, canMovePayment, canMoveShipment } from '../../domain/status.ts';
import type { FulfillmentStatus, OrderStatus, PaymentStatus, ShipmentStatus } from '../../domain/status.ts';
import { isHandedOver } from './progress.ts';
import type { FulfillmentRecord, OrderRecord, PaymentRecord, ShipmentRecord } from './record.ts';

/** What a step works with. */
export interface StepDependencies {
  db: Database;
  encoder: EventEncoder;
}

/**
 * `reserve`: pieces are promised. `release`: promised pieces are free again. `commit`: promised pieces have left the
 * warehouse. `return`: pieces that had left are back.
 */
export type StockMove = { kind: 'reserve' | 'release' | 'commit' | 'return'; fulfillment: FulfillmentRecord };

/** News from a carrier, to be kept with what came of it. */
export interface NewsRow {
  update_id: string;
  shipment_id: string;
  status: string;
  applied: boolean;
  /** ISO 8601 */
  occurred_at: string;
  detail: string | null;
}

/** An incoming event the order's workflow is done with. */
export interface HandledEvent {
  eventId: string;
  type: string;
  outcome: 'handled' | 'refused';
  /** Why it was refused, with its error code. */
  reason?: string;
}

/** A part of an invoice that is not owed any more; the rest is. */
export interface Difference {
  fulfillment: FulfillmentRecord;
  /** What stays of each line. */
  kept: readonly KeptLine[];
  reason: string;
}

/** One step of one order while it is being decided. Whatever is changed on `order` is saved, together with the events. */
export interface OrderStep {
  readonly order: OrderRecord;
  /** Id of the incoming event or name of the step that leads to it all. */
  readonly cause: string;
  /** For what else it has to read. */
  readonly db: Database;
  tell(event: NewEvent): void;
  moveStock(move: StockMove): void;
  readonly events: NewEvent[];
  readonly stock: StockMove[];
  readonly news: NewsRow[];
  readonly handled: HandledEvent[];
  /** Parts of invoices that are not owed any more. */
  readonly differences: Difference[];
}

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
