import type { Overdue } from '../../../domain/deadlines.ts';
import type { PlacedOrder } from '../../../domain/order.ts';
import type { FulfillmentStatus, OrderStatus } from '../../../domain/status.ts';
import type { FulfillmentItemRecord, FulfillmentRecord, OrderRecord } from '../../../orders/record/record.ts';
import type { FulfillmentRecord as ToldFulfillment } from '../../../schemas/index.ts';
import { rebuiltMoney } from './money.ts';
import { rebuiltShipment } from './shipment.ts';
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
