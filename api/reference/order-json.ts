import type { FulfillmentRecord, OrderRecord, ShipmentRecord } from '../../orders/record/record.ts';
import { goTime } from './answers.ts';
import { orderStatus, paymentStatus, shipmentStatus } from './statuses.ts';

/** An order no worker has taken yet: nothing is reserved, so there are no fulfillments. Times in ms since the epoch. */
export function untakenJson(order: { id: string; customerId: string; receivedAt: number }) {
  const { id, customerId, receivedAt } = order;
  return { id, customerId, receivedAt: goTime(receivedAt), status: 'pending', fulfillments: null };
}

/** An order as it stands. */
export function orderJson(order: OrderRecord) {
  const { orderId: id, customerId, receivedAt, status, fulfillments } = order;
  return {
    ...{ id, customerId, receivedAt: goTime(receivedAt), status: orderStatus(status) },
    fulfillments: fulfillments.length > 0 ? fulfillments.map((f) => fulfillmentJson(f, order)) : null,
  };
}

function fulfillmentJson(f: FulfillmentRecord, order: OrderRecord) {
  return {
    id: f.id,
    items: f.items.map(({ sku, quantity }) => ({ sku, quantity })),
    ...(f.warehouse === null ? {} : { location: f.warehouse }),
    status: f.status,
    ...paymentJson(f),
    ...(f.shipment ? { shipment: shipmentJson(f, f.shipment, order) } : {}),
  };
}

function paymentJson({ invoice, payment }: FulfillmentRecord) {
  if (!invoice || !payment) return {};
  const { subTotal, tax, shipping, total } = invoice;
  return { payment: { subTotal, tax, shipping, total, status: paymentStatus(payment.status) } };
}

/** A shipment is begun when it is paid for; from then on its own moves count. */
function shipmentJson({ id, payment }: FulfillmentRecord, shipment: ShipmentRecord, { receivedAt }: OrderRecord) {
  const { status, bookedAt, dispatchedAt, endedAt } = shipment;
  const updatedAt = endedAt ?? dispatchedAt ?? bookedAt ?? payment?.settledAt ?? receivedAt;
  return { id, status: shipmentStatus(status), updatedAt: goTime(updatedAt) };
}
