import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CARRIER_STATUSES } from '../../domain/carrier-status.ts';
import { assertOrderId, fulfillmentId, isOrderId, orderIdOf, outgoingEventId } from '../../domain/ids.ts';
import { FINGERPRINT_VERSION, fingerprintText } from '../../domain/order.ts';
import type { PlacedOrder } from '../../domain/order.ts';
import {
  FULFILLMENT_STATUSES,
  ORDER_STATUSES,
  SHIPMENT_STATUSES,
  canMoveOrder,
  canMoveShipment,
  finalOrderStatus,
  isFinalFulfillment,
  isFinalOrder,
} from '../../domain/status.ts';
import { CarrierStatus } from '../../schemas/index.ts';

const order: PlacedOrder = {
  orderId: 'A-1',
  customerId: '17850',
  currency: 'GBP',
  items: [
    { sku: '85123A', quantity: 6, unitPrice: 255, description: 'HEART' },
    { sku: '71053', quantity: 6, unitPrice: null, description: null },
  ],
  shipTo: null,
  source: 'shop',
  placedAt: 1,
};

describe('order ids', () => {
  it.each(['A1', '536365', 'A1-1700000000000', 'a.b_c-d', 'x'.repeat(128)])('accept %s', (id) => {
    expect(isOrderId(id)).toBe(true);
  });

  it.each(['', 'a b', 'a:1', 'ä', 'a\u0000', 'x'.repeat(129), 7, null])(
    'refuse %p, naming field, value and rule',
    (id) => {
      expect(() => assertOrderId(id)).toThrow(/^orderId is .+: must be 1 to 128 characters/);
    },
  );

  it('come back out of a fulfillment id', () => {
    expect(orderIdOf(fulfillmentId('A-1', 12))).toBe('A-1');
  });

  it('make event ids that name order, subject, type and ordinal', () => {
    expect(outgoingEventId('A-1', 'A-1:2', 'ShipmentBooked')).toBe('A-1/2/ShipmentBooked/1');
    expect(outgoingEventId('A-1', 'order', 'OrderStatus', 3)).toBe('A-1/order/OrderStatus/3');
  });
});

describe('the fingerprint of an order', () => {
  const same = (other: Partial<PlacedOrder>) => fingerprintText({ ...order, ...other }) === fingerprintText(order);

  it('ignores the order of the lines, descriptions, times and the envelope', () => {
    const items = order.items.map((item) => ({ ...item, description: 'other' })).reverse();
    expect(same({ items, placedAt: 99, source: 'elsewhere' })).toBe(true);
  });

  it('sees a changed customer, currency, address, quantity, price or line', () => {
    const [first, second] = order.items;
    expect(first && second).toBeTruthy();
    if (!first || !second) return;
    expect(same({ customerId: '1' })).toBe(false);
    expect(same({ currency: 'EUR' })).toBe(false);
    expect(same({ items: [{ ...first, quantity: 7 }, second] })).toBe(false);
    expect(same({ items: [{ ...first, unitPrice: null }, second] })).toBe(false);
    expect(same({ items: [first, second, second] })).toBe(false);
    const shipTo = { name: null, line1: null, line2: null, city: null, region: null, postalCode: null, country: 'GB' };
    expect(same({ shipTo })).toBe(false);
  });

  it('refuses a version it does not know rather than guessing', () => {
    expect(() => fingerprintText(order, FINGERPRINT_VERSION + 1)).toThrow('unknown fingerprint version');
  });
});

describe('the state tables', () => {
  it('let nothing leave a final status', () => {
    for (const from of ORDER_STATUSES.filter(isFinalOrder)) {
      expect(ORDER_STATUSES.filter((to) => canMoveOrder(from, to))).toEqual([]);
    }
  });

  it('let a shipment never go backwards', () => {
    const way = SHIPMENT_STATUSES.slice(0, 4);
    for (const [i, from] of way.entries()) {
      expect(way.slice(0, i + 1).filter((to) => canMoveShipment(from, to))).toEqual([]);
    }
  });

  it('never call an order with a failed part completed', () => {
    const ended = fc.constantFrom(...FULFILLMENT_STATUSES.filter(isFinalFulfillment));
    fc.assert(
      fc.property(fc.array(ended, { minLength: 1 }), (parts) => {
        const status = finalOrderStatus(parts);
        expect(status === 'completed').toBe(parts.includes('completed') && !parts.includes('failed'));
        expect(status === 'partiallyCompleted').toBe(parts.includes('completed') && parts.includes('failed'));
        expect(isFinalOrder(status)).toBe(true);
      }),
    );
  });
});

describe("the carriers' words", () => {
  it('are those of the topic, in its order, behind the symbol for what is not known yet', () => {
    expect(CarrierStatus).toEqual(['Unknown', ...CARRIER_STATUSES]);
  });
});
