import type { Database } from '../../database/database.ts';
import type { OrderProgress } from '../../domain/progress.ts';
import { isFinalFulfillment } from '../../domain/status.ts';
import { existingOrder } from './load.ts';
import type { FulfillmentRecord, OrderRecord, PaymentRecord } from './record.ts';

/** What the workflow needs to know of an order. */
export function progressOf(order: OrderRecord): OrderProgress {
  return {
    version: order.version,
    status: order.status,
    fulfillments: order.fulfillments.map((fulfillment) => ({
      id: fulfillment.id,
      status: fulfillment.status,
      payment: fulfillment.payment?.status ?? null,
      shipment: fulfillment.shipment?.status ?? null,
      refundDue: isRefundDue(fulfillment),
      ...(isCaptureDue(fulfillment) ? { captureDue: true } : {}),
    })),
  };
}

/** The goods were handed to the carrier; from then on they are the carrier's to bring or to return. */
export function isHandedOver(fulfillment: FulfillmentRecord): boolean {
  return fulfillment.shipment?.dispatchedAt != null;
}

/** It will not be shipped, or has come back: what was billed for it is not owed, and its money is not kept. */
export function isGivenUp({ status, shipment }: FulfillmentRecord): boolean {
  if (!isFinalFulfillment(status) || status === 'completed') return false;
  return shipment?.dispatchedAt == null || shipment.status === 'returned';
}

/** An outcome that is not known may be an approval: it counts until the provider has said otherwise. */
export function isRefundDue(fulfillment: FulfillmentRecord): boolean {
  const { payment, creditNotes } = fulfillment;
  if (!payment || !mayHoldMoney(payment)) return false;
  const isOpen = payment.status === 'success' && creditNotes.some((note) => note.settledAt === null);
  return isOpen || isGivenUp(fulfillment);
}

/** Its money is only held, and the carrier has its goods: now it is to be taken. */
export function isCaptureDue(fulfillment: FulfillmentRecord): boolean {
  return fulfillment.payment?.status === 'authorized' && isHandedOver(fulfillment) && !isGivenUp(fulfillment);
}

function mayHoldMoney({ status, captured, refunded }: PaymentRecord): boolean {
  return status === 'pending' || status === 'authorized' || (status === 'success' && refunded < captured);
}

/** How far an order is now. @throws OmsError OMS_ORDER_UNKNOWN */
export async function readProgress(db: Database, orderId: string): Promise<OrderProgress> {
  return progressOf(await existingOrder(db, orderId));
}
