import type { CarrierStatus } from '../../domain/carrier-status.ts';
import type { Address } from '../../domain/order.ts';

/** A parcel to be brought from a warehouse to a customer. */
export interface QuoteRequest {
  /** The shipment's id: for the carrier's records. */
  key: string;
  warehouse: string;
  shipTo: Address | null;
  items: { sku: string; quantity: number }[];
  /** The order's; quotes are in it. */
  currency: string;
}

/** What a carrier asks for one of its services. */
export interface Quote {
  carrier: string;
  /** As the carrier names it. */
  service: string;
  /** Minor units. */
  price: number;
  currency: string;
  /** Days from pick-up to delivery that the carrier promises. */
  promisedDays: number;
}

/** A parcel to be picked up. */
export interface BookingRequest extends QuoteRequest {
  /** One of the quoted services; null = the carrier's choice. */
  service: string | null;
}

/** `service` and `price` are those of the booking, whatever a repeat of it asks for; null where the carrier does not say. */
export type BookingOutcome =
  | {
      status: 'booked';
      carrier: string;
      reference: string;
      trackingNumber: string;
      service: string | null;
      price: number | null;
    }
  | { status: 'refused'; reason: string };

/** Where a carrier says a parcel is. */
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
   * What the carrier asks for this parcel, by service; none when it does not bring it. Changes nothing, and promises
   * nothing: only a booking does.
   * @throws OmsError OMS_CARRIER_UNAVAILABLE when the carrier cannot tell now
   */
  quote(request: QuoteRequest): Promise<Quote[]>;
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

/** Takes news in; resolves with the ids of what is done. The rest comes again, and so does all of it when it rejects. */
export type DeliverNews = (news: CarrierNews[]) => Promise<ReadonlySet<string>>;

/** A carrier's adapter at work on its pushes. */
export interface RunningPushes {
  /** Null while news goes out, else why not. */
  check(): string | null;
  /** Resolves when what is being told has been told. */
  stop(): Promise<void>;
}

/** How an adapter gives its news away: none before the start, and everything that is due through `deliver`. */
export interface CarrierPushes {
  start(deliver: DeliverNews): RunningPushes;
}
