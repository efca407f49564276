import { isFinalShipment } from '../../../domain/status.ts';
import type { ShipmentStatus } from '../../../domain/status.ts';
import type { PaymentRecord, ShipmentRecord } from '../../../orders/record/record.ts';
import type { DeliveryEvent, FulfillmentRecord as ToldFulfillment } from '../../../schemas/index.ts';
import type { ToldOrder } from './told.ts';

const STATUS_BY_DELIVERY: Partial<Record<DeliveryEvent['type'], ShipmentStatus>> = {
  Delivered: 'delivered',
  DeliveryFailed: 'deliveryFailed',
  ReturnedToSender: 'returned',
};

const AFTER_DISPATCH: readonly ShipmentStatus[] = ['dispatched', 'deliveryFailed', 'delivered', 'returned'];

/** A shipment as it was told; null before there was money for it. */
export function rebuiltShipment(
  told: ToldOrder,
  f: ToldFulfillment,
  payment: PaymentRecord | null,
): ShipmentRecord | null {
  const shipments = told.shipments.filter(({ shipmentId }) => shipmentId === f.id);
  const deliveries = told.deliveries.filter(({ shipmentId }) => shipmentId === f.id);
  const status = newestStatus(told, f, payment);
  if (status === null) return null;
  const last = shipments.at(-1);
  const when = (type: string): number | null => shipments.find((one) => one.type === type)?.occurredAt ?? null;
  const at = told.status.occurredAt;
  const isDispatched = AFTER_DISPATCH.includes(status);
  return {
    status,
    carrier: last?.carrier ?? null,
    bookingReference: last?.bookingReference ?? null,
    trackingNumber: last?.trackingNumber ?? f.trackingNumber,
    service: null,
    quotedPrice: null,
    failedAttempts: attemptsTold(told, deliveries),
    bookedAt: when('ShipmentBooked') ?? (isDispatched || status === 'booked' ? at : null),
    dispatchedAt: when('ShipmentDispatched') ?? (isDispatched ? at : null),
    endedAt: isFinalShipment(status) ? (deliveries.at(-1)?.occurredAt ?? last?.occurredAt ?? at) : null,
  };
}

/**
 * Attempts are numbered in their events' ids: the last that is there has the count. Of those that are all forgotten there were
 * at most as many as deliveries of the order were told and are gone; a number that is left out harms nobody.
 */
function attemptsTold(told: ToldOrder, deliveries: readonly DeliveryEvent[]): number {
  const last = deliveries.findLast(({ type }) => type === 'DeliveryFailed');
  if (last) return Number(last.eventId.split('/').at(-1));
  return Math.max(0, (told.sequences.deliveries ?? 0) - told.deliveries.length);
}

function newestStatus(told: ToldOrder, f: ToldFulfillment, payment: PaymentRecord | null): ShipmentStatus | null {
  const later = [
    ...told.shipments.map(({ shipmentId, version, status }) => ({
      shipmentId,
      version,
      status: status as ShipmentStatus,
    })),
    ...told.deliveries.map(({ shipmentId, version, type }) => ({
      shipmentId,
      version,
      status: STATUS_BY_DELIVERY[type],
    })),
  ].filter(({ shipmentId, version }) => shipmentId === f.id && version > told.status.version);
  const newest = later.sort((a, b) => b.version - a.version)[0]?.status ?? (f.shipmentStatus as ShipmentStatus | null);
  if (newest) return newest;
  // Its payment came through, and the status that tells of the shipment to book did not.
  const isPaid = payment?.status === 'success' || payment?.status === 'authorized';
  const isOpen = f.status === 'pending' || f.status === 'processing';
  return isPaid && isOpen ? 'pending' : null;
}
