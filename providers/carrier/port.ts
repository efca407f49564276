import { CARRIER_STATUSES } from '../../domain/carrier-status.ts';
import type { CarrierStatus } from '../../domain/carrier-status.ts';
import type { Address } from '../../domain/order.ts';

/** A parcel to be picked up at a warehouse. */
export interface BookingRequest {
  /** The shipment's id. */
  key: string;
  warehouse: string;
  shipTo: Address | null;
  items: { sku: string; quantity: number }[];
}

export type BookingOutcome =
  | { status: 'booked'; carrier: string; reference: string; trackingNumber: string }
  | { status: 'refused'; reason: string };

/** Where a carrier says a parcel is. */
export const TRACKED_STATUSES = CARRIER_STATUSES;
export type TrackedStatus = CarrierStatus;

/** The latest a carrier knows of a parcel. */
export interface Tracking {
  status: TrackedStatus;
  /** Id of the news that led to this status: a push of the same news carries the same id. */
  updateId: string;
  /** By the carrier's clock, ms since the epoch. */
  at: number;
}

/** The company that moves the parcels. One adapter a carrier; test/providers holds what each must keep to. */
export interface CarrierProvider {
  /**
   * Books a pick-up, once for each key: the same key again gets the first outcome.
   * @throws OmsError OMS_CARRIER_UNAVAILABLE when the outcome is unknown: it may be booked
   */
  book(request: BookingRequest): Promise<BookingOutcome>;
  /**
   * Calls a booking off; idempotent. `cancelled` is final: nothing is picked up any more. A key never seen is
   * tombstoned: a booking that arrives later is refused.
   * @throws OmsError OMS_CARRIER_UNAVAILABLE when it is unknown whether it was done; asking again is safe
   */
  cancel(key: string): Promise<'cancelled' | 'alreadyPickedUp'>;
  /**
   * Where the parcel is now; null when the carrier has never booked it.
   * @throws OmsError OMS_CARRIER_UNAVAILABLE when the carrier cannot tell now
   */
  track(key: string): Promise<Tracking | null>;
}

/** What a carrier's adapter delivers of its own accord, at least once and possibly out of order. */
export interface CarrierNews {
  /** A repeat carries the same id. */
  updateId: string;
  shipmentId: string;
  status: TrackedStatus;
  /** By the carrier's clock, ms since the epoch. */
  at: number;
  carrier: string;
  trackingNumber: string | null;
  /** Text for people. */
  detail: string | null;
}
