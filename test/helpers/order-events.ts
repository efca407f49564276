import type { Address, CustomerActionKind, OrderEvent, OrderItem, OrderPlaced } from '../../schemas/index.ts';

type Envelope = Partial<Omit<OrderEvent, 'payload' | 'orderId'>>;

function event(orderId: string, payload: OrderEvent['payload'], envelope: Envelope, kind: string): OrderEvent {
  const eventId = `${orderId}/${kind}`;
  return { eventId, orderId, occurredAt: Date.UTC(2026, 0, 1), source: 'shop', sequence: null, ...envelope, payload };
}

export function item(sku = 'SKU-1', fields: Partial<OrderItem> = {}): OrderItem {
  return { sku, quantity: 1, unitPrice: 1_000, description: null, ...fields };
}

export const address: Address = {
  name: 'A. Reader',
  line1: '1 Test Street',
  line2: null,
  city: 'Testham',
  region: null,
  postalCode: 'T1 1TT',
  country: 'GB',
};

export function placed(orderId: string, fields: Partial<OrderPlaced> = {}, envelope: Envelope = {}): OrderEvent {
  const order: OrderPlaced = { customerId: 'customer-1', currency: 'GBP', items: [item()], shipTo: null, ...fields };
  return event(orderId, { 'oms.OrderPlaced': order }, envelope, 'placed');
}

export function cancelled(
  orderId: string,
  fields: { reason?: string | null; fulfillmentId?: string | null } = {},
  envelope: Envelope = {},
): OrderEvent {
  return event(
    orderId,
    { 'oms.OrderCancelled': { reason: null, fulfillmentId: null, ...fields } },
    envelope,
    'cancelled',
  );
}

export function amended(
  orderId: string,
  fields: { items?: OrderItem[] | null; shipTo?: Address | null } = {},
  envelope: Envelope = {},
): OrderEvent {
  return event(orderId, { 'oms.OrderAmended': { items: null, shipTo: null, ...fields } }, envelope, 'amended');
}

export function customerAction(orderId: string, action: CustomerActionKind, envelope: Envelope = {}): OrderEvent {
  return event(orderId, { 'oms.CustomerAction': { action } }, envelope, `action-${action}`);
}
