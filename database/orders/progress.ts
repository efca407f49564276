import type { OrderProgress } from '../../domain/progress.ts';
import { isFinalFulfillment } from '../../domain/status.ts';
import type { Database } from '../database.ts';
import { existingOrder } from './load.ts';
import type { FulfillmentRecord, OrderRecord } from './record.ts';

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
    })),
  };
}

/** The goods were handed to the carrier; from then on they are the carrier's to bring or to return. */
export function isHandedOver(fulfillment: FulfillmentRecord): boolean {
  return fulfillment.shipment?.dispatchedAt != null;
}

/** The goods came back. */
function isReturned(fulfillment: FulfillmentRecord): boolean {
  return fulfillment.shipment?.status === 'returned';
}

/** An outcome that is not known may be an approval: it counts until the provider has said otherwise. */
export function isRefundDue(fulfillment: FulfillmentRecord): boolean {
  const { payment, status } = fulfillment;
  if (!payment || payment.status === 'failed' || payment.refunded >= payment.amount) return false;
  const givenUp = isFinalFulfillment(status) && status !== 'completed';
  return givenUp && (!isHandedOver(fulfillment) || isReturned(fulfillment));
}

/** How far an order is now. @throws OmsError OMS_ORDER_UNKNOWN */
export async function readProgress(db: Database, orderId: string): Promise<OrderProgress> {
  return progressOf(await existingOrder(db, orderId));
}
