import { CAUSES } from '../../domain/causes.ts';
import type { Address } from '../../domain/order.ts';
import { REASONS, REASON_FORMS } from '../../domain/reasons.ts';
import { isFinalShipment } from '../../domain/status.ts';
import { deliveryEvent, shipmentEvent } from '../events.ts';
import { giveUp, moveFulfillment, moveShipment } from '../record/order-step.ts';
import type { OrderStep, StepDependencies } from '../record/order-step.ts';
import { isHandedOver } from '../record/progress.ts';
import { fulfillmentOf } from '../record/record.ts';
import type { FulfillmentRecord, OrderRecord, ShipmentRecord } from '../record/record.ts';
import { orderStep } from '../record/step.ts';

/** What is known of a booking. */
export interface Booking {
  carrier: string | null;
  reference: string | null;
  trackingNumber: string | null;
  service?: string | null;
  /** Minor units of the order's currency. */
  price?: number | null;
}

/** What the carrier says about an attempt to deliver. */
interface DeliveryNews {
  /** By the carrier's clock, ms since the epoch. */
  carrierTime: number;
  detail: string | null;
}

/** A shipment on its way; false when the move was made before or is not allowed any more. */
type Advance = (step: OrderStep, f: FulfillmentRecord, shipment: ShipmentRecord) => boolean;

/** Booked. A booking that is known already only fills in what was not known of it. */
export function book(step: OrderStep, f: FulfillmentRecord, shipment: ShipmentRecord, booking: Booking): boolean {
  if (isFinalShipment(shipment.status) && !isHandedOver(f)) return false;
  shipment.carrier ??= booking.carrier;
  shipment.bookingReference ??= booking.reference;
  shipment.trackingNumber ??= booking.trackingNumber;
  shipment.service ??= booking.service ?? null;
  shipment.quotedPrice ??= booking.price ?? null;
  if (shipment.status !== 'pending') return false;
  moveShipment(f, shipment, 'booked');
  shipment.bookedAt = step.order.now;
  step.tell(shipmentEvent(step.order, f, 'ShipmentBooked', step));
  return true;
}

/** Handed to the carrier: the pieces have left the warehouse. News may come out of order: then it was booked, too. */
export const dispatch: Advance = (step, f, shipment) => {
  if (shipment.status === 'pending') book(step, f, shipment, { carrier: null, reference: null, trackingNumber: null });
  if (shipment.status !== 'booked') return false;
  moveShipment(f, shipment, 'dispatched');
  shipment.dispatchedAt = step.order.now;
  step.moveStock({ kind: 'commit', fulfillment: f });
  step.tell(shipmentEvent(step.order, f, 'ShipmentDispatched', step));
  return true;
};

/** Delivered, at the first attempt or a later one; a shipment of which only the booking was known was dispatched, too. */
export function deliver(step: OrderStep, f: FulfillmentRecord, shipment: ShipmentRecord, news: DeliveryNews): boolean {
  dispatch(step, f, shipment);
  if (!isOnItsWay(shipment)) return false;
  end(step, f, shipment, 'delivered');
  moveFulfillment(f, 'completed');
  step.tell(deliveryEvent(step.order, f, 'Delivered', { ...step, carrierTime: news.carrierTime }));
  return true;
}

/** An attempt to deliver has failed: each is told. The goods stay with the carrier, who tries again or returns them. */
export function failAttempt(
  step: OrderStep,
  f: FulfillmentRecord,
  shipment: ShipmentRecord,
  news: DeliveryNews,
): boolean {
  dispatch(step, f, shipment);
  if (!isOnItsWay(shipment)) return false;
  if (shipment.status === 'dispatched') moveShipment(f, shipment, 'deliveryFailed');
  shipment.failedAttempts++;
  const { carrierTime, detail } = news;
  const words = { ...step, carrierTime, reason: detail ?? REASONS.deliveryFailed, ordinal: shipment.failedAttempts };
  step.tell(deliveryEvent(step.order, f, 'DeliveryFailed', words));
  return true;
}

/** Back at the warehouse it came from: the fulfillment has failed, its pieces are on hand again, its money is due back. */
export function takeBack(step: OrderStep, f: FulfillmentRecord, shipment: ShipmentRecord, news: DeliveryNews): boolean {
  dispatch(step, f, shipment);
  if (!isOnItsWay(shipment)) return false;
  const reason = news.detail ?? REASONS.returnedToSender;
  end(step, f, shipment, 'returned');
  moveFulfillment(f, 'failed', reason);
  step.moveStock({ kind: 'return', fulfillment: f });
  step.tell(deliveryEvent(step.order, f, 'ReturnedToSender', { ...step, carrierTime: news.carrierTime, reason }));
  return true;
}

/** With the carrier: it will be delivered or come back. */
export function isOnItsWay({ status }: ShipmentRecord): boolean {
  return status === 'dispatched' || status === 'deliveryFailed';
}

/** Called off before hand-over. The event follows on one that said it was booked. */
export function callOff(step: OrderStep, f: FulfillmentRecord, shipment: ShipmentRecord, reason: string): boolean {
  if (shipment.status !== 'pending' && shipment.status !== 'booked') return false;
  const wasTold = shipment.status === 'booked';
  end(step, f, shipment, 'cancelled');
  if (wasTold) step.tell(shipmentEvent(step.order, f, 'ShipmentCancelled', { ...step, reason }));
  return true;
}

/** The carrier will not take it. */
function refuse(step: OrderStep, f: FulfillmentRecord, shipment: ShipmentRecord, reason: string): boolean {
  if (shipment.status !== 'pending') return false;
  end(step, f, shipment, 'failed');
  giveUp(step, f, 'failed', REASON_FORMS.carrierRefused(reason));
  return true;
}

function end(
  step: OrderStep,
  f: FulfillmentRecord,
  shipment: ShipmentRecord,
  to: 'delivered' | 'returned' | 'failed' | 'cancelled',
): void {
  moveShipment(f, shipment, to);
  shipment.endedAt = step.order.now;
}

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
