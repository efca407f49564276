import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { difference, invoiceTotals, leftOf } from '../../domain/invoice.ts';

const PRICING = { taxBasisPoints: 2_000, shippingPerShipment: 500 };
const INVOICE = invoiceTotals(
  [
    { line: 1, sku: 'A', quantity: 3, unitPrice: 333 },
    { line: 4, sku: 'B', quantity: 1, unitPrice: 7 },
  ],
  PRICING,
);

describe('A credit note', () => {
  it('for fewer pieces credits them and their tax, so that the rest is taxed as if invoiced so', () => {
    const note = difference(INVOICE, [{ line: 1, quantity: 2 }], PRICING.taxBasisPoints);
    // Tax of line 1: 999 → 200 becomes 666 → 133; line 4 goes with its tax of 1.
    expect(note).toMatchObject({ subTotal: 333 + 7, tax: 67 + 1, shipping: 0, total: 408 });
    expect(note.lines.map(({ line, quantity }) => [line, quantity])).toEqual([
      [1, 1],
      [4, 1],
    ]);
  });

  it('is for nothing when all pieces stay', () => {
    const kept = INVOICE.lines.map(({ line, quantity }) => ({ line, quantity }));
    expect(difference(INVOICE, kept, PRICING.taxBasisPoints)).toMatchObject({ lines: [], total: 0 });
  });

  it('cannot bill more than the invoice did', () => {
    const grown = [{ line: 1, quantity: 4 }];
    expect(() => difference(INVOICE, grown, 2_000)).toThrow(
      expect.objectContaining({ code: 'OMS_ORDER_MOVE_ILLEGAL' }),
    );
  });

  it('after others leaves exactly what a fresh invoice of the rest would say, and all of them the whole invoice', () => {
    const line = fc.record({
      quantity: fc.integer({ min: 1, max: 50 }),
      unitPrice: fc.integer({ min: 0, max: 9_999 }),
    });
    const cuts = fc.array(fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 6, maxLength: 6 }), { maxLength: 4 });
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1, maxLength: 6 }),
        cuts,
        fc.integer({ min: 0, max: 3_000 }),
        (lines, cuts, taxBasisPoints) => {
          const items = lines.map((one, i) => ({ line: i + 1, sku: `S${i}`, ...one }));
          const pricing = { ...PRICING, taxBasisPoints };
          const invoice = invoiceTotals(items, pricing);
          const notes = [];
          const stays = items.map(({ quantity }) => quantity);
          for (const cut of cuts) {
            const left = leftOf(invoice, notes);
            for (const [i, off] of cut.entries()) if (stays[i]) stays[i] = Math.max(0, stays[i] - off);
            const kept = items.map(({ line }, i) => ({ line, quantity: stays[i] ?? 0 }));
            notes.push(difference(left, kept, taxBasisPoints));
          }
          const rest = items
            .map((item, i) => ({ ...item, quantity: stays[i] ?? 0 }))
            .filter((item) => item.quantity > 0);
          const left = leftOf(invoice, notes);
          expect(left).toEqual(invoiceTotals(rest, pricing));
          expect(leftOf(invoice, [...notes, left])).toMatchObject({ lines: [], total: 0 });
        },
      ),
    );
  });
});
