import type { Address } from '../../domain/order.ts';
import type { OrderProgress } from '../../domain/progress.ts';
import type { Database } from '../database.ts';
import { readOrder } from '../orders/load.ts';
import { progressOf } from '../orders/progress.ts';
import { fulfillmentOf } from '../orders/record.ts';
import { book, refuse } from '../orders/shipping.ts';
import { orderStep } from '../orders/step.ts';
import type { StepDependencies } from '../orders/step-types.ts';

/** What is to be asked of the carrier. */
export interface BookingIntent {
  shipmentId: string;
  warehouse: string;
  shipTo: Address | null;
  items: { sku: string; quantity: number }[];
}

/** What the carrier has said about a shipment. */
export type BookingAnswer = { shipmentId: string } & (
  | { status: 'booked'; carrier: string; reference: string; trackingNumber: string }
  | { status: 'refused'; reason: string }
);

/** The shipments among these that are still to be booked. Their rows, written with the payment, are the intent. */
export async function bookingIntents(db: Database, orderId: string, ids: readonly string[]): Promise<BookingIntent[]> {
  const order = await readOrder(db, orderId);
  return (order?.fulfillments ?? []).flatMap((f) => {
    if (!order || f.warehouse === null || f.shipment?.status !== 'pending' || !ids.includes(f.id)) return [];
    const items = f.items.map(({ sku, quantity }) => ({ sku, quantity }));
    return [{ shipmentId: f.id, warehouse: f.warehouse, shipTo: order.shipTo, items }];
  });
}

/** Records what the carrier said. A refusal fails the fulfillment; its money is due back. */
export async function recordBookings(
  deps: StepDependencies,
  orderId: string,
  answers: readonly BookingAnswer[],
): Promise<OrderProgress> {
  const { order } = await orderStep(deps, orderId, 'bookShipments', (step) => {
    for (const answer of answers) {
      const fulfillment = fulfillmentOf(step.order, answer.shipmentId);
      const shipment = fulfillment?.shipment;
      if (!fulfillment || !shipment) continue;
      if (answer.status === 'booked') book(step, fulfillment, shipment, answer);
      else refuse(step, fulfillment, shipment, answer.reason);
    }
  });
  return progressOf(order);
}
