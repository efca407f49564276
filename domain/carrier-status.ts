/**
 * What a carrier can say of a shipment. `inTransit` is no step of its own: whatever is on its way was dispatched. A
 * delivery that failed may be tried again or end with the return.
 */
export const CARRIER_STATUSES = [
  'booked',
  'dispatched',
  'inTransit',
  'delivered',
  'deliveryFailed',
  'returnedToSender',
  'cancelled',
] as const;
export type CarrierStatus = (typeof CARRIER_STATUSES)[number];

export function isCarrierStatus(value: unknown): value is CarrierStatus {
  return (CARRIER_STATUSES as readonly unknown[]).includes(value);
}

/** News from a carrier about a shipment. */
export interface CarrierUpdate {
  /** Unique within the shipment; a repeat carries the same id, another attempt to deliver another one. */
  updateId: string;
  shipmentId: string;
  status: CarrierStatus;
  /** By the carrier's clock, ms since the epoch. */
  at: number;
  carrier: string | null;
  trackingNumber: string | null;
  /** Text for people. */
  detail: string | null;
}
