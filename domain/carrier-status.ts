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
