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

type Moves<S extends string> = Readonly<Record<S, readonly S[]>>;

const ORDER_MOVES: Moves<OrderStatus> = {
  pending: ['processing', 'customerActionRequired', 'cancelled', 'failed'],
  customerActionRequired: ['processing', 'cancelled', 'timedOut', 'failed'],
  processing: ['completed', 'partiallyCompleted', 'failed', 'cancelled'],
  completed: [],
  partiallyCompleted: [],
  failed: [],
  cancelled: [],
  timedOut: [],
};

const FULFILLMENT_MOVES: Moves<FulfillmentStatus> = {
  unavailable: ['cancelled'],
  pending: ['processing', 'cancelled', 'failed'],
  processing: ['completed', 'cancelled', 'failed'],
  completed: [],
  cancelled: [],
  failed: [],
};

const PAYMENT_MOVES: Moves<PaymentStatus> = {
  pending: ['authorized', 'success', 'failed', 'voided'],
  authorized: ['success', 'failed', 'voided'],
  success: ['refunded'],
  failed: [],
  voided: [],
  refunded: [],
};

const SHIPMENT_MOVES: Moves<ShipmentStatus> = {
  pending: ['booked', 'cancelled', 'failed'],
  booked: ['dispatched', 'cancelled', 'failed'],
  dispatched: ['delivered', 'deliveryFailed', 'returned', 'failed'],
  deliveryFailed: ['delivered', 'returned'],
  delivered: [],
  returned: [],
  cancelled: [],
  failed: [],
};

const canMove =
  <S extends string>(moves: Moves<S>) =>
  (from: S, to: S): boolean =>
    moves[from].includes(to);

export const canMoveOrder = canMove(ORDER_MOVES);
export const canMoveFulfillment = canMove(FULFILLMENT_MOVES);
export const canMovePayment = canMove(PAYMENT_MOVES);
export const canMoveShipment = canMove(SHIPMENT_MOVES);

const isFinal =
  <S extends string>(moves: Moves<S>) =>
  (status: S): boolean =>
    moves[status].length === 0;

export const isFinalOrder = isFinal(ORDER_MOVES);
export const isFinalFulfillment = isFinal(FULFILLMENT_MOVES);
export const isFinalShipment = isFinal(SHIPMENT_MOVES);

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
