import { describe, expect, it } from '@jest/globals';
import { toIncomingEvent } from '../../orders/intake/order-event.ts';
import { address, cancelled, customerAction, item, placed } from '../helpers/order-events.ts';

const record = (value: string) => ({
  topic: 'orders',
  partition: 0,
  offset: 7n,
  key: Buffer.from('o-1'),
  value: Buffer.from(value),
  timestamp: 0,
  headers: {},
});

describe('an incoming event', () => {
  it('that places an order becomes the order, with the envelope’s source and time', () => {
    const event = toIncomingEvent(placed('o-1', { items: [item('A')], shipTo: address }, { sequence: 1 }), record('x'));
    expect(event).toMatchObject({
      kind: 'placed',
      type: 'OrderPlaced',
      eventId: 'o-1/placed',
      sequence: 1,
      order: {
        orderId: 'o-1',
        customerId: 'customer-1',
        currency: 'GBP',
        source: 'shop',
        placedAt: Date.UTC(2026, 0, 1),
        items: [{ sku: 'A', quantity: 1, unitPrice: 1_000 }],
        shipTo: { country: 'GB' },
      },
    });
  });

  it('that cancels becomes a message with its own event id', () => {
    const event = toIncomingEvent(cancelled('o-1', { reason: 'changed my mind', fulfillmentId: 'o-1:2' }), record('x'));
    expect(event).toMatchObject({
      kind: 'lifecycle',
      type: 'OrderCancelled',
      message: { v: 1, kind: 'cancel', eventId: 'o-1/cancelled', reason: 'changed my mind', fulfillmentId: 'o-1:2' },
    });
  });

  it('that tells the customer’s decision becomes a message', () => {
    const event = toIncomingEvent(customerAction('o-1', 'Amend'), record('x'));
    expect(event).toMatchObject({ message: { kind: 'customerAction', action: 'amend' } });
  });

  it('has the content hash of a retry that differs in time and encoding only', () => {
    const first = toIncomingEvent(cancelled('o-1'), record('first bytes'));
    const retry = toIncomingEvent(cancelled('o-1', {}, { occurredAt: 5 }), record('other bytes'));
    const other = toIncomingEvent(cancelled('o-1', { reason: 'other' }), record('first bytes'));
    const foreign = toIncomingEvent(cancelled('o-1', {}, { source: 'till' }), record('first bytes'));
    expect(retry.contentHash).toEqual(first.contentHash);
    expect(other.contentHash).not.toEqual(first.contentHash);
    expect(foreign.contentHash).not.toEqual(first.contentHash);
  });
});
