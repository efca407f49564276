/** The statuses of the reference, and `partiallyCompleted` beside them. Each list is public; the wire enums follow it. */
export const ORDER_STATUSES = [
  'pending',
  'processing',
  'customerActionRequired',
  'completed',
  'partiallyCompleted',
  'failed',
  'cancelled',
  'timedOut',
] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

export const FULFILLMENT_STATUSES = [
  'unavailable',
  'pending',
  'processing',
  'completed',
  'cancelled',
  'failed',
] as const;
export type FulfillmentStatus = (typeof FULFILLMENT_STATUSES)[number];

export const PAYMENT_STATUSES = ['pending', 'authorized', 'success', 'failed', 'voided', 'refunded'] as const;
export type PaymentStatus = (typeof PAYMENT_STATUSES)[number];

export const SHIPMENT_STATUSES = [
  'pending',
  'booked',
  'dispatched',
  'deliveryFailed',
  'delivered',
  'returned',
  'cancelled',
  'failed',
] as const;
export type ShipmentStatus = (typeof SHIPMENT_STATUSES)[number];

/** Who may bring a move about. */
export const ACTORS = {
  oms: 'the OMS itself, as the next step of the order',
  customer: 'the customer or the business, by an event on `orders`, and operators by the command line or Temporal',
  payment: 'the payment provider, by its answer',
  carrier: 'the carrier, by its answer or its news',
  timer: 'a deadline that has passed',
  operator: 'an operator who gives the order up (`oms orders stuck fail`)',
} as const;
export type Actor = keyof typeof ACTORS;

/** From each status the moves that are allowed, with who may cause them. What is not in the table never happens. */
export type StateTable<S extends string> = Readonly<Record<S, Readonly<Partial<Record<S, readonly Actor[]>>>>>;

/** `pending` is an order whose first step has not been taken: it has no row yet. */
export const ORDER_STATES: StateTable<OrderStatus> = {
  pending: { processing: ['oms'], customerActionRequired: ['oms'], cancelled: ['customer'], failed: ['oms'] },
  customerActionRequired: {
    processing: ['customer'],
    cancelled: ['customer'],
    timedOut: ['timer'],
    failed: ['timer'],
  },
  processing: { completed: ['oms'], partiallyCompleted: ['oms'], failed: ['oms'], cancelled: ['oms'] },
  completed: {},
  partiallyCompleted: {},
  failed: {},
  cancelled: {},
  timedOut: {},
};

/** `processing` begins with the invoice. */
export const FULFILLMENT_STATES: StateTable<FulfillmentStatus> = {
  unavailable: { cancelled: ['customer', 'timer'] },
  pending: { processing: ['oms'], cancelled: ['customer', 'timer'], failed: ['oms', 'timer', 'operator'] },
  processing: {
    completed: ['carrier'],
    cancelled: ['customer', 'timer'],
    failed: ['payment', 'carrier', 'timer', 'operator'],
  },
  completed: {},
  cancelled: {},
  failed: {},
};

/** `pending` is a payment that was asked for and not answered; `success` is money that was taken. */
export const PAYMENT_STATES: StateTable<PaymentStatus> = {
  pending: { authorized: ['payment'], success: ['payment'], failed: ['payment'], voided: ['oms'] },
  authorized: { success: ['payment'], failed: ['payment'], voided: ['oms'] },
  success: { refunded: ['oms'] },
  failed: {},
  voided: {},
  refunded: {},
};

/** `pending` is a booking that may have been asked for. News comes out of order: what it skips has happened, too. */
export const SHIPMENT_STATES: StateTable<ShipmentStatus> = {
  pending: { booked: ['carrier'], cancelled: ['customer', 'carrier', 'timer'], failed: ['carrier'] },
  booked: { dispatched: ['carrier'], cancelled: ['customer', 'carrier', 'timer'], failed: ['carrier'] },
  dispatched: { delivered: ['carrier'], deliveryFailed: ['carrier'], returned: ['carrier'], failed: ['carrier'] },
  deliveryFailed: { delivered: ['carrier'], returned: ['carrier'] },
  delivered: {},
  returned: {},
  cancelled: {},
  failed: {},
};

const canMove =
  <S extends string>(table: StateTable<S>) =>
  (from: S, to: S): boolean =>
    table[from][to] !== undefined;

export const canMoveOrder = canMove(ORDER_STATES);
export const canMoveFulfillment = canMove(FULFILLMENT_STATES);
export const canMovePayment = canMove(PAYMENT_STATES);
export const canMoveShipment = canMove(SHIPMENT_STATES);

const isFinal =
  <S extends string>(table: StateTable<S>) =>
  (status: S): boolean =>
    Object.keys(table[status]).length === 0;

export const isFinalOrder = isFinal(ORDER_STATES);
export const isFinalFulfillment = isFinal(FULFILLMENT_STATES);
export const isFinalShipment = isFinal(SHIPMENT_STATES);

/**
 * What an order has come to when each of its fulfillments has ended. `cancelled` counts neither way: an order whose
 * remaining fulfillments were delivered is completed; one with a delivery and a failure is partially completed.
 */
export function finalOrderStatus(fulfillments: readonly FulfillmentStatus[]): OrderStatus {
  const completed = fulfillments.filter((s) => s === 'completed').length;
  const failed = fulfillments.filter((s) => s === 'failed').length;
  if (completed > 0) return failed > 0 ? 'partiallyCompleted' : 'completed';
  return failed > 0 ? 'failed' : 'cancelled';
}
