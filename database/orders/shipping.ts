import { isTold } from '../outbox.ts';
import { isFinalShipment } from '../../domain/status.ts';
import { giveUp, moveFulfillment, moveShipment } from './endings.ts';
import { deliveryEvent, shipmentEvent } from './events.ts';
import { isHandedOver } from './progress.ts';
import type { FulfillmentRecord, ShipmentRecord } from './record.ts';
import type { OrderStep } from './step-types.ts';

/** What is known of a booking. */
export interface Booking {
  carrier: string | null;
  reference: string | null;
  trackingNumber: string | null;
}

/** News of how a shipment ended. */
interface Ending {
  /** By the carrier's clock, ms since the epoch. */
  carrierTime: number;
  detail: string | null;
}

const RETURNED = 'returned to sender';

/** A shipment on its way; false when the move was made before or is not allowed any more. */
type Advance = (step: OrderStep, f: FulfillmentRecord, shipment: ShipmentRecord) => boolean;

/** Booked. A booking that is known already only fills in what was not known of it. */
export function book(step: OrderStep, f: FulfillmentRecord, shipment: ShipmentRecord, booking: Booking): boolean {
  if (isFinalShipment(shipment.status) && shipment.status !== 'delivered') return false;
  shipment.carrier ??= booking.carrier;
  shipment.bookingReference ??= booking.reference;
  shipment.trackingNumber ??= booking.trackingNumber;
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

/** Delivered; a shipment of which only the booking was known was dispatched, too. */
export function deliver(step: OrderStep, f: FulfillmentRecord, shipment: ShipmentRecord, ending: Ending): boolean {
  dispatch(step, f, shipment);
  if (shipment.status !== 'dispatched') return false;
  end(step, f, shipment, 'delivered');
  moveFulfillment(f, 'completed');
  step.tell(deliveryEvent(step.order, f, 'Delivered', { ...step, carrierTime: ending.carrierTime }));
  return true;
}

/** Not delivered: the fulfillment has failed, and its goods are with the carrier or on their way back. */
export function failDelivery(
  step: OrderStep,
  f: FulfillmentRecord,
  shipment: ShipmentRecord,
  ending: Ending & { type: 'DeliveryFailed' | 'ReturnedToSender' },
): boolean {
  dispatch(step, f, shipment);
  if (shipment.status !== 'dispatched') return false;
  const reason = ending.detail ?? (ending.type === 'DeliveryFailed' ? 'delivery failed' : RETURNED);
  end(step, f, shipment, 'failed');
  moveFulfillment(f, 'failed', reason);
  step.tell(deliveryEvent(step.order, f, ending.type, { ...step, carrierTime: ending.carrierTime, reason }));
  return true;
}

/** Back at the sender after a delivery that failed: it has ended before, and this is told once. */
export async function tellReturn(
  step: OrderStep,
  f: FulfillmentRecord,
  shipment: ShipmentRecord,
  ending: Ending,
): Promise<boolean> {
  if (shipment.status !== 'failed' || !isHandedOver(f)) return false;
  const reason = ending.detail ?? RETURNED;
  const event = deliveryEvent(step.order, f, 'ReturnedToSender', { ...step, carrierTime: ending.carrierTime, reason });
  if (await isTold(step.db, event.eventId)) return false;
  step.tell(event);
  return true;
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
export function refuse(step: OrderStep, f: FulfillmentRecord, shipment: ShipmentRecord, reason: string): boolean {
  if (shipment.status !== 'pending') return false;
  end(step, f, shipment, 'failed');
  giveUp(step, f, 'failed', `OMS_CARRIER_REFUSED: ${reason}`);
  return true;
}

function end(
  step: OrderStep,
  f: FulfillmentRecord,
  shipment: ShipmentRecord,
  to: 'delivered' | 'failed' | 'cancelled',
): void {
  moveShipment(f, shipment, to);
  shipment.endedAt = step.order.now;
}
