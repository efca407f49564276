import type { z } from 'zod';
import type { PostedEvent } from '../../database/ledger/posted-records.ts';
import type { ListedOrder } from '../../database/read/orders.ts';
import type { PlacedOrder } from '../../domain/order.ts';
import type { OrderHead, OrderView } from '../../orders/record/order-view.ts';
import type { CreditNoteRecord, FulfillmentRecord, PaymentRecord, ShipmentRecord } from '../../orders/record/record.ts';
import { iso, isoOrNull } from './atoms.ts';
import type { listedOrder, order, timeline } from './order-schemas.ts';

export function listedJson(one: ListedOrder): z.output<typeof listedOrder> {
  const { placedAt, receivedAt, closedAt, ...rest } = one;
  return { ...rest, placedAt: iso(placedAt), receivedAt: iso(receivedAt), closedAt: isoOrNull(closedAt) };
}

/** An order as it stands; of one no worker has taken yet, what was placed. Null when there is only word of it. */
export function orderJson(view: OrderHead, placed: PlacedOrder | null): z.output<typeof order> | null {
  const { orderId, order: taken, ledger } = view;
  if (taken) {
    const { placedAt, receivedAt, closedAt, ...head } = taken;
    const times = { placedAt: iso(placedAt), receivedAt: iso(receivedAt), closedAt: isoOrNull(closedAt) };
    return { orderId, ...head, ...times, items: view.items, fulfillments: view.fulfillments.map(fulfillmentJson) };
  }
  if (!placed || !ledger?.claimedAt) return null;
  const { source, customerId, currency, shipTo, items } = placed;
  const head = { orderId, status: 'pending', reason: null, overdue: null, version: 0 } as const;
  const times = { placedAt: iso(placed.placedAt), receivedAt: iso(ledger.claimedAt), closedAt: null };
  return { ...head, ...times, source, customerId, currency, shipTo, items, fulfillments: [] };
}

function fulfillmentJson(f: FulfillmentRecord): z.output<typeof order>['fulfillments'][number] {
  const { id, status, reason, warehouse, items, invoice, payment, creditNotes, shipment } = f;
  return {
    ...{ id, status, reason, warehouse, items },
    invoice: invoice && { ...amounts(invoice), invoiceId: invoice.invoiceId },
    payment: payment && paymentJson(payment),
    creditNotes: creditNotes.map(creditNoteJson),
    shipment: shipment && shipmentJson(shipment),
  };
}

const amounts = ({ subTotal, tax, shipping, total }: Record<'subTotal' | 'tax' | 'shipping' | 'total', number>) => ({
  ...{ subTotal, tax, shipping, total },
});

const paymentJson = ({ settledAt, ...payment }: PaymentRecord) => ({ ...payment, settledAt: isoOrNull(settledAt) });

const creditNoteJson = (note: CreditNoteRecord) => ({
  ...amounts(note),
  creditNoteId: note.creditNoteId,
  reason: note.reason,
  refunded: note.refunded,
  settledAt: isoOrNull(note.settledAt),
});

function shipmentJson({ bookedAt, dispatchedAt, endedAt, quotedPrice: _price, ...shipment }: ShipmentRecord) {
  const times = { bookedAt: isoOrNull(bookedAt), dispatchedAt: isoOrNull(dispatchedAt), endedAt: isoOrNull(endedAt) };
  return { ...shipment, ...times };
}

/** What was told of an order, what was asked of it, and what carriers have said. */
export function timelineJson(view: OrderView, posted: readonly PostedEvent[]): z.output<typeof timeline> {
  const waiting = posted.map((event) => ({ ...event, at: iso(event.at), outcome: 'posted' as const, reason: null }));
  return {
    told: view.timeline.map(({ at, sentAt, ...entry }) => ({ ...entry, at: iso(at), sentAt: isoOrNull(sentAt) })),
    asked: [...view.incoming.map(({ at, ...event }) => ({ ...event, at: iso(at) })), ...waiting],
    news: view.news.map(({ at, ...news }) => ({ ...news, at: iso(at) })),
  };
}
