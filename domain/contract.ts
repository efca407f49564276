import type { LifecycleMessage } from './order-messages.ts';
import type { FulfillmentStatus, OrderStatus, PaymentStatus, ShipmentStatus } from './status.ts';

/** The workflow's public contract. These names are on disk in running histories: they are never renamed. */
export const ORDER_WORKFLOW = 'order';
export const ORDERS_TASK_QUEUE = 'orders';

/** Signals. `CustomerAction` and `ShipmentStatusUpdated` are the reference's names. */
export const LIFECYCLE_SIGNAL = 'OrderLifecycle';
export const CUSTOMER_ACTION_SIGNAL = 'CustomerAction';
export const SHIPMENT_STATUS_SIGNAL = 'ShipmentStatusUpdated';
export const STATUS_QUERY = 'status';

/** Activities, as the histories name them; the worker's own list is compared with it by the compiler. */
export const ACTIVITIES = [
  'takeOrder',
  'dropUnavailable',
  'beginCancel',
  'noteRefusal',
  'amendOrder',
  'expireReservation',
  'tellOverdue',
  'closeOrder',
  'chargeFulfillments',
  'captureFulfillments',
  'refundFulfillments',
  'bookShipments',
  'callOffShipments',
  'trackShipments',
  'tryFulfil',
] as const;
export type ActivityName = (typeof ACTIVITIES)[number];

/** Where a namespace's own data names the deployment it belongs to. */
export const NAMESPACE_DEPLOYMENT_KEY = 'oms-deployment';

/** Ids of patches, as the histories name them. */
export const PATCHES = { amend: 'amend' } as const;

/** Timers, all in ms. Passed in the input so that a change of configuration never touches a running order. */
export interface OrderTimers {
  /** How long the customer may take to decide about unavailable items. */
  customerActionMs: number;
  /** How long to wait for the carrier's news before asking the carrier. */
  carrierOverdueMs: number;
  /** How long stock is kept for what is not paid. */
  reservationMs?: number;
  /** How long the payment provider holds money that is to be taken at hand-over. */
  paymentHoldMs?: number;
  /** From the order's start until all of it should be with a carrier; passing it is told, and changes nothing. */
  shipByMs?: number;
  /** From the order's start until all of it should be delivered; as above. */
  deliverByMs?: number;
}

/** What a run that goes on in a new history hands over; the order itself is in the database. */
export interface CarriedOver {
  /** When the order's first run began, ms since the epoch by workflow time. */
  beganAt: number;
  timedOut: boolean;
  /** Deadlines that have been dealt with. */
  passed: string[];
  /** Ids of the events that were taken in: none is handled twice. */
  seen: string[];
  handled: { eventId: string; type: string; outcome: 'handled' | 'refused' }[];
}

/** What the workflow is started with. The order itself is in the ledger: item lists never enter the history. */
export interface OrderInput {
  v: 1;
  orderId: string;
  timers: OrderTimers;
  /** Lifecycle events that arrived before the order. */
  parked: LifecycleMessage[];
  /** Past this many events the run goes on in a new history. @default when Temporal suggests it */
  historyLimit?: number;
  /** Only on a run that goes on. */
  carried?: CarriedOver;
}

export interface OrderResult {
  status: OrderStatus | 'fenced';
}

/** `CustomerAction`, as the reference's clients send it; `eventId` when it comes by topic. */
export interface CustomerActionSignal {
  action: string;
  eventId?: string;
}

/** Sent when a shipment has come to an end at the carrier; the database holds the details. */
export interface ShipmentStatusSignal {
  shipmentID: string;
  status: ShipmentStatus;
  /** RFC 3339 */
  updatedAt: string;
}

/** Answer of the `status` query. */
export interface OrderState {
  id: string;
  status: OrderStatus;
  fulfillments: { id: string; status: FulfillmentStatus; payment?: PaymentStatus; shipment?: ShipmentStatus }[] | null;
  /** What the order waits for now, in words for support staff. */
  waitingFor: string | null;
}
