import type { OrderStatus, PaymentStatus, ShipmentStatus } from '../../domain/status.ts';

/** Our statuses in the words the reference's clients know. docs/reference-api.md gives the reasons. */
const ORDER: Partial<Record<OrderStatus, string>> = { partiallyCompleted: 'completed' };
const SHIPMENT: Partial<Record<ShipmentStatus, string>> = { deliveryFailed: 'dispatched', returned: 'failed' };
const PAYMENT: Record<PaymentStatus, 'pending' | 'success' | 'failed'> = {
  pending: 'pending',
  authorized: 'success',
  success: 'success',
  refunded: 'success',
  failed: 'failed',
  voided: 'failed',
};

export const orderStatus = (status: OrderStatus): string => ORDER[status] ?? status;
export const shipmentStatus = (status: ShipmentStatus): string => SHIPMENT[status] ?? status;
export const paymentStatus = (status: PaymentStatus): string => PAYMENT[status];
