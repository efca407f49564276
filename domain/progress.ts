import { isFinalFulfillment, isFinalOrder, isFinalShipment } from './status.ts';
import type { FulfillmentStatus, OrderStatus, PaymentStatus, ShipmentStatus } from './status.ts';

/** How far a fulfillment has come. */
export interface FulfillmentProgress {
  id: string;
  status: FulfillmentStatus;
  /** Null until begun. */
  payment: PaymentStatus | null;
  /** Null until begun. */
  shipment: ShipmentStatus | null;
  /** Money was or may have been taken for what will not be shipped: it has to go back. */
  refundDue: boolean;
  /** Its money is held, and is to be taken now. Recorded histories of before lack it. */
  captureDue?: boolean;
}

/** How far an order has come: what every step answers, read from the database, so that the workflow remembers nothing else. */
export interface OrderProgress {
  /** Of the order's events: a higher one is newer. */
  version: number;
  status: OrderStatus;
  fulfillments: FulfillmentProgress[];
}

const idsWhere = (progress: OrderProgress, holds: (f: FulfillmentProgress) => boolean): string[] =>
  progress.fulfillments.filter(holds).map((f) => f.id);

export function unavailable(progress: OrderProgress): string[] {
  return idsWhere(progress, (f) => f.status === 'unavailable');
}

/** To be charged, or charged with an outcome not known yet. */
export function toCharge(progress: OrderProgress): string[] {
  return idsWhere(progress, (f) => f.status === 'pending' || (f.status === 'processing' && f.payment === 'pending'));
}

/** Paid for, and not booked yet as far as we know. */
export function toBook(progress: OrderProgress): string[] {
  return idsWhere(progress, (f) => f.status === 'processing' && f.shipment === 'pending');
}

/** With the carrier, which will have more to tell. */
export function underway(progress: OrderProgress): string[] {
  const statuses: (ShipmentStatus | null)[] = ['booked', 'dispatched', 'deliveryFailed'];
  return idsWhere(progress, (f) => statuses.includes(f.shipment));
}

export function toRefund(progress: OrderProgress): string[] {
  return idsWhere(progress, (f) => f.refundDue);
}

export function toCapture(progress: OrderProgress): string[] {
  return idsWhere(progress, (f) => f.captureDue === true);
}

/** Every fulfillment has come to an end, or its shipment has: nothing more is to be heard from the carrier. */
export function isSettled(progress: OrderProgress): boolean {
  return progress.fulfillments.every(
    (f) => isFinalFulfillment(f.status) || (f.shipment !== null && isFinalShipment(f.shipment)),
  );
}

export function isClosed(progress: OrderProgress): boolean {
  return isFinalOrder(progress.status);
}
