import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { invoiceTotals, pricingFor } from '../../domain/invoice.ts';
import { exact, share, sum } from '../../domain/money.ts';

describe('money', () => {
  it('refuses an amount that is no exact integer any more', () => {
    expect(() => exact(Number.MAX_SAFE_INTEGER + 1)).toThrow('not an exact number of minor units');
    expect(() => exact(0.5)).toThrow(expect.objectContaining({ code: 'OMS_MONEY_OVERFLOW' }));
    expect(() => sum([Number.MAX_SAFE_INTEGER, 1])).toThrow('not an exact number');
  });

  it('rounds a share half up to a minor unit', () => {
    expect(share(255, 2_000)).toBe(51);
    expect(share(1, 5_000)).toBe(1);
    expect(share(1, 4_999)).toBe(0);
    expect(share(9_007_199_254_740_991, 10_000)).toBe(9_007_199_254_740_991);
  });

  it('keeps a share within half a minor unit of the exact value', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000_000 }), fc.integer({ min: 0, max: 10_000 }), (amount, points) => {
        const scaled = BigInt(amount) * BigInt(points);
        const difference = BigInt(share(amount, points)) * 10_000n - scaled;
        expect(difference > -5_000n && difference <= 5_000n).toBe(true);
      }),
    );
  });
});

describe('the totals of an invoice', () => {
  it('are those of the lines, each counted once', () => {
    const items = [
      { line: 1, sku: 'A', quantity: 2, unitPrice: 1_050 },
      { line: 2, sku: 'B', quantity: 1, unitPrice: 333 },
    ];
    const totals = invoiceTotals(items, { taxBasisPoints: 2_000, shippingPerShipment: 500 });
    expect(totals).toMatchObject({ subTotal: 2_433, tax: 420 + 67, shipping: 500, total: 2_433 + 487 + 500 });
    expect(totals.lines).toHaveLength(2);
  });

  it('add up for any lines and are the same when drawn again', () => {
    const line = fc.record({
      line: fc.integer({ min: 1, max: 5_000 }),
      sku: fc.string({ minLength: 1, maxLength: 10 }),
      quantity: fc.integer({ min: 1, max: 100_000 }),
      unitPrice: fc.integer({ min: 0, max: 10_000_000 }),
    });
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1, maxLength: 50 }),
        fc.integer({ min: 0, max: 10_000 }),
        (items, points) => {
          const pricing = { taxBasisPoints: points, shippingPerShipment: 500 };
          const totals = invoiceTotals(items, pricing);
          const goods = items.reduce((total, item) => total + item.quantity * item.unitPrice, 0);
          expect(totals.subTotal).toBe(goods);
          expect(totals.total).toBe(totals.subTotal + totals.tax + totals.shipping);
          expect(invoiceTotals(items, pricing)).toEqual(totals);
        },
      ),
    );
  });
});

describe('tax and shipping', () => {
  const rules = { taxRates: { '*': 2_000, DE: 1_900, CH: 0 }, shippingPrices: { '*': 500, EUR: 600 } };

  it.each([
    ['DE', 'EUR', 1_900, 600],
    [' de ', 'GBP', 1_900, 500],
    ['CH', 'CHF', 0, 500],
    ['United Kingdom', 'GBP', 2_000, 500],
    [null, 'EUR', 2_000, 600],
  ])(
    'for %s in %s are %s basis points and %s minor units',
    (country, currency, taxBasisPoints, shippingPerShipment) => {
      expect(pricingFor(rules, country, currency)).toEqual({ country, taxBasisPoints, shippingPerShipment });
    },
  );

  it('are those of each line and shipment alone, so that a bill of many lines counts each once', () => {
    const items = [1, 2, 3].map((line) => ({ line, sku: `S${line}`, quantity: 1, unitPrice: 7_674 }));
    const totals = invoiceTotals(items, pricingFor(rules, 'DE', 'EUR'));
    expect(totals).toMatchObject({ subTotal: 23_022, tax: 3 * 1_458, shipping: 600, total: 27_996 });
  });

  it('of 400,000 pieces are exact, and past 2^53 refused', () => {
    const price = (quantity: number) => [{ line: 1, sku: 'S', quantity, unitPrice: 9_000_000_000 }];
    const pricing = pricingFor(rules, null, 'GBP');
    expect(invoiceTotals(price(400_000), pricing).subTotal).toBe(3_600_000_000_000_000);
    expect(() => invoiceTotals(price(2_000_000), pricing)).toThrow('not an exact number');
  });
});
