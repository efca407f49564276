import type { Overdue } from '../../../domain/order-messages.ts';
import type { PlacedOrder } from '../../../domain/order.ts';
import { isFinalShipment } from '../../../domain/status.ts';
import type { FulfillmentStatus, OrderStatus, ShipmentStatus } from '../../../domain/status.ts';
import type {
  FulfillmentItemRecord,
  FulfillmentRecord,
  OrderRecord,
  PaymentRecord,
  ShipmentRecord,
} from '../../../orders/record/record.ts';
import type { DeliveryEvent, FulfillmentRecord as ToldFulfillment } from '../../../schemas/index.ts';
import { rebuiltMoney } from './money.ts';
import type { ToldOrder } from './told.ts';

export interface RebuildRules {
  /** Whether fulfillments hold stock, by the rule in force: the topics do not say. */
  keepsStock: boolean;
}

/**
 * The order as it was told: the newest status, and whatever its other events say beyond that. Lines and prices come from
 * the order as it was placed; without it lines are numbered as they were told.
 */
export function rebuiltOrder(told: ToldOrder, placed: PlacedOrder | null, rules: RebuildRules): OrderRecord {
  const { status } = told;
  const lines = lineFinder(placed);
  return {
    orderId: status.orderId,
    source: status.source,
    customerId: status.customerId,
    currency: status.currency,
    shipTo: placed?.shipTo ?? null,
    status: status.status as OrderStatus,
    reason: status.reason,
    placedAt: status.placedAt,
    receivedAt: status.receivedAt,
    closedAt: status.closedAt,
    overdue: status.overdue as Overdue | null,
    version: told.version,
    sequences: { ...told.sequences },
    now: status.occurredAt,
    askedAt: 0,
    fulfillments: status.fulfillments.map((one) => rebuiltFulfillment(told, one, lines(one), placed, rules)),
  };
}

function rebuiltFulfillment(
  told: ToldOrder,
  f: ToldFulfillment,
  items: FulfillmentItemRecord[],
  placed: PlacedOrder | null,
  { keepsStock }: RebuildRules,
): FulfillmentRecord {
  const money = rebuiltMoney(told, f, items, placed?.shipTo?.country ?? null);
  const shipment = rebuiltShipment(told, f, money.payment);
  const status = laterStatus(told, f, money.payment !== null);
  return { id: f.id, warehouse: f.warehouse, holdsStock: keepsStock, status, reason: null, items, ...money, shipment };
}

/** Events are sent in version order: of a step whose status was lost, its other events may have come through. */
function laterStatus({ status, deliveries }: ToldOrder, f: ToldFulfillment, isBilled: boolean): FulfillmentStatus {
  const later = deliveries.filter(({ shipmentId, version }) => shipmentId === f.id && version > status.version);
  if (later.some(({ type }) => type === 'Delivered')) return 'completed';
  if (later.some(({ type }) => type === 'ReturnedToSender')) return 'failed';
  return f.status === 'pending' && isBilled ? 'processing' : (f.status as FulfillmentStatus);
}

/** Finds the order's lines that a fulfillment's items are of: by SKU, in order, each at most once a fulfillment. */
function lineFinder(placed: PlacedOrder | null): (f: ToldFulfillment) => FulfillmentItemRecord[] {
  const left = (placed?.items ?? []).map((item, i) => ({ ...item, line: i + 1 }));
  let unknownLine = left.length;
  return ({ items }) => {
    const used = new Set<number>();
    return items.map(({ sku, quantity }) => {
      const free = left.filter((line) => line.sku === sku && !used.has(line.line));
      const line = free.find((one) => one.quantity >= quantity) ?? free[0];
      if (!line) return { line: ++unknownLine, sku, quantity, unitPrice: null };
      used.add(line.line);
      line.quantity -= quantity;
      return { line: line.line, sku, quantity, unitPrice: line.unitPrice };
    });
  };
}

const STATUS_BY_DELIVERY: Partial<Record<DeliveryEvent['type'], ShipmentStatus>> = {
  Delivered: 'delivered',
  DeliveryFailed: 'deliveryFailed',
  ReturnedToSender: 'returned',
};

const AFTER_DISPATCH: readonly ShipmentStatus[] = ['dispatched', 'deliveryFailed', 'delivered', 'returned'];

/** A shipment as it was told; null before there was money for it. */
function rebuiltShipment(told: ToldOrder, f: ToldFulfillment, payment: PaymentRecord | null): ShipmentRecord | null {
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
