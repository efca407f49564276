import { CAUSES } from '../../domain/causes.ts';
import type { Address } from '../../domain/order.ts';
import { fulfillmentOf } from '../record/record.ts';
import type { OrderRecord } from '../record/record.ts';
import type { OrderStep, StepDependencies } from '../record/step-types.ts';
import { orderStep } from '../record/step.ts';
import { book, refuse } from './shipping.ts';

/** What is to be asked of the carrier. */
export interface BookingIntent {
  shipmentId: string;
  warehouse: string;
  shipTo: Address | null;
  items: { sku: string; quantity: number }[];
  currency: string;
}

/** What the carrier has said about a shipment. */
export type BookingAnswer = { shipmentId: string } & (
  | {
      status: 'booked';
      carrier: string;
      reference: string;
      trackingNumber: string;
      service: string | null;
      /** Minor units of the order's currency. */
      price: number | null;
    }
  | { status: 'refused'; reason: string }
);

/** The shipments among these that are still to be booked. Their rows, written with the payment, are the intent. */
export function bookingIntents(order: OrderRecord, ids: readonly string[]): BookingIntent[] {
  return order.fulfillments.flatMap((f) => {
    if (f.warehouse === null || f.shipment?.status !== 'pending' || !ids.includes(f.id)) return [];
    const items = f.items.map(({ sku, quantity }) => ({ sku, quantity }));
    const { shipTo, currency } = order;
    return [{ shipmentId: f.id, warehouse: f.warehouse, shipTo, items, currency }];
  });
}

/** Records what the carrier said. A refusal fails the fulfillment; its money is due back. */
export async function recordBookings(
  deps: StepDependencies,
  known: OrderRecord,
  answers: readonly BookingAnswer[],
): Promise<OrderRecord> {
  const record = (step: OrderStep): void => answers.forEach((answer) => recordBooking(step, answer));
  const { order } = await orderStep(deps, known.orderId, CAUSES.bookShipments, record, known);
  return order;
}

function recordBooking(step: OrderStep, answer: BookingAnswer): void {
  const fulfillment = fulfillmentOf(step.order, answer.shipmentId);
  const shipment = fulfillment?.shipment;
  if (!fulfillment || !shipment) return;
  if (answer.status === 'booked') book(step, fulfillment, shipment, answer);
  else refuse(step, fulfillment, shipment, answer.reason);
}
