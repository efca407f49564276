import Fastify from 'fastify';
import { describe, expect, it } from '@jest/globals';
import { createRouteTable } from '../../api/app.ts';
import { goTime, orderStatus, paymentStatus, shipmentStatus } from '../../api/reference/messages.ts';
import { fallbackPrice } from '../../domain/invoice.ts';
import { ORDER_STATUSES, PAYMENT_STATUSES, SHIPMENT_STATUSES } from '../../domain/status.ts';

describe("The reference's words", () => {
  it.each([
    ['2026-01-02T03:04:05.678Z', '2026-01-02T03:04:05.678Z'],
    ['2026-01-02T03:04:05.670Z', '2026-01-02T03:04:05.67Z'],
    ['2026-01-02T03:04:05.600Z', '2026-01-02T03:04:05.6Z'],
    ['2026-01-02T03:04:10.000Z', '2026-01-02T03:04:10Z'],
    ['2026-01-02T03:00:00.000Z', '2026-01-02T03:00:00Z'],
  ])('write %s as Go does', (iso, written) => {
    expect(goTime(Date.parse(iso))).toBe(written);
  });

  it('are all its clients ever see', () => {
    const orders = ['pending', 'processing', 'customerActionRequired', 'completed', 'failed', 'cancelled', 'timedOut'];
    expect(new Set(ORDER_STATUSES.map(orderStatus))).toEqual(new Set(orders));
    expect(new Set(PAYMENT_STATUSES.map(paymentStatus))).toEqual(new Set(['pending', 'success', 'failed']));
    const shipments = ['pending', 'booked', 'dispatched', 'delivered', 'cancelled', 'failed'];
    expect(new Set(SHIPMENT_STATUSES.map(shipmentStatus))).toEqual(new Set(shipments));
  });
});

describe('A price that is made up', () => {
  it('lies in the range of the reference and is always the same for a SKU', () => {
    for (let i = 0; i < 2_000; i++) {
      const price = fallbackPrice('reference', `sku-${i}`) ?? 0;
      expect(price).toBeGreaterThanOrEqual(3_500);
      expect(price).toBeLessThanOrEqual(11_999);
      expect(fallbackPrice('reference', `sku-${i}`)).toBe(price);
    }
    expect(fallbackPrice('reference', 'Vans Old Skool')).toBe(VANS);
  });

  it('is none where nothing is made up', () => {
    expect(fallbackPrice('none', 'Vans')).toBeUndefined();
    expect(fallbackPrice(undefined, 'Vans')).toBeUndefined();
  });
});

/** As invoices of old have it: a change of the rule would bill the same goods otherwise. */
const VANS = 10042;

describe('The table of routes', () => {
  it('knows the methods of a path, also below a prefix, and of no other', async () => {
    const app = Fastify();
    const routes = createRouteTable(app);
    app.get('/things', () => '');
    app.post('/things', () => '');
    app.delete('/things/:id', () => '');
    await app.register((scope) => void scope.get('/a.b/:id/parts', () => ''), { prefix: '/v9' });
    expect(routes.allowed('/things')).toEqual(['GET', 'HEAD', 'POST']);
    expect(routes.allowed('/things/a:1')).toEqual(['DELETE']);
    expect(routes.allowed('/v9/a.b/x/parts')).toEqual(['GET', 'HEAD']);
    for (const path of ['/things/', '/things/a/b', '/v9/aXb/x/parts', '/']) expect(routes.allowed(path)).toEqual([]);
    await app.close();
  });
});
