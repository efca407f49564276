import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fewestShipments } from '../../domain/allocation.ts';
import type { Allocation, FreeStock, WantedLine } from '../../domain/allocation.ts';

const { allocate } = fewestShipments;
const line = (n: number, sku: string, quantity = 1): WantedLine => ({ line: n, sku, quantity });
const stock = (warehouse: string, sku: string, free: number): FreeStock => ({ warehouse, sku, free });
const warehousesOf = ({ allotments }: Allocation): string[] => allotments.map((lot) => lot.warehouse);

describe('Splitting an order by warehouse', () => {
  it('ships all from one warehouse when one has it all', () => {
    const split = allocate(
      [line(1, 'a'), line(2, 'b')],
      [stock('east', 'a', 5), stock('west', 'a', 5), stock('west', 'b', 5)],
    );
    expect(split).toEqual({
      unavailable: [],
      allotments: [{ warehouse: 'west', lines: [line(1, 'a'), line(2, 'b')] }],
    });
  });

  it('takes two warehouses when no single one has it all, and the fewest of three', () => {
    const split = allocate(
      [line(1, 'a'), line(2, 'b'), line(3, 'c')],
      [stock('x', 'a', 1), stock('x', 'b', 1), stock('y', 'b', 1), stock('y', 'c', 1), stock('z', 'c', 1)],
    );
    expect(warehousesOf(split)).toHaveLength(2);
  });

  it('splits a line by quantity when no warehouse has enough of it', () => {
    const split = allocate([line(1, 'a', 7)], [stock('x', 'a', 4), stock('y', 'a', 3)]);
    expect(split.allotments).toEqual([
      { warehouse: 'x', lines: [line(1, 'a', 4)] },
      { warehouse: 'y', lines: [line(1, 'a', 3)] },
    ]);
  });

  it('counts an unknown SKU as not in stock, and ships the rest', () => {
    const split = allocate([line(1, 'a'), line(2, 'unheard-of')], [stock('x', 'a', 1)]);
    expect(split.unavailable).toEqual([line(2, 'unheard-of')]);
    expect(warehousesOf(split)).toEqual(['x']);
  });

  it('has a line unavailable as a whole when all warehouses together lack a piece of it', () => {
    const split = allocate([line(1, 'a', 8)], [stock('x', 'a', 4), stock('y', 'a', 3)]);
    expect(split).toEqual({ unavailable: [line(1, 'a', 8)], allotments: [] });
  });

  it('gives the pieces of a SKU to the lines in their order when there are not enough for all', () => {
    const split = allocate([line(1, 'a', 3), line(2, 'a', 3), line(3, 'a', 1)], [stock('x', 'a', 4)]);
    expect(split.unavailable).toEqual([line(2, 'a', 3)]);
    expect(split.allotments).toEqual([{ warehouse: 'x', lines: [line(1, 'a', 3), line(3, 'a', 1)] }]);
  });

  const skus = fc.constantFrom('a', 'b', 'c', 'd');
  const wanted = fc
    .array(fc.record({ sku: skus, quantity: fc.integer({ min: 1, max: 9 }) }), { minLength: 1, maxLength: 8 })
    .map((lines) => lines.map(({ sku, quantity }, i) => line(i + 1, sku, quantity)));
  const held = fc.uniqueArray(
    fc.record({ warehouse: fc.constantFrom('w', 'x', 'y', 'z'), sku: skus, free: fc.integer({ min: 0, max: 12 }) }),
    { selector: ({ warehouse, sku }) => `${warehouse}/${sku}`, maxLength: 16 },
  );
  const pieces = (lines: readonly { quantity: number }[]): number => lines.reduce((sum, one) => sum + one.quantity, 0);

  it('never promises more than a warehouse has, and gives every line in full or not at all', () => {
    fc.assert(
      fc.property(wanted, held, (lines, stocks) => {
        const { unavailable, allotments } = allocate(lines, stocks);
        for (const { warehouse, sku, free } of stocks) {
          const lot = allotments.find((one) => one.warehouse === warehouse)?.lines ?? [];
          expect(pieces(lot.filter((one) => one.sku === sku))).toBeLessThanOrEqual(free);
        }
        for (const one of lines) {
          const given = pieces(allotments.flatMap((lot) => lot.lines.filter((part) => part.line === one.line)));
          expect(given).toBe(unavailable.includes(one) ? 0 : one.quantity);
        }
      }),
    );
  });

  it('needs no more shipments than any other choice of warehouses', () => {
    fc.assert(
      fc.property(wanted, held, (lines, stocks) => {
        const { unavailable, allotments } = allocate(lines, stocks);
        const available = lines.filter((one) => !unavailable.includes(one));
        const all = [...new Set(stocks.map((one) => one.warehouse))];
        const enough = (chosen: string[]): boolean =>
          ['a', 'b', 'c', 'd'].every((sku) => {
            const free = stocks.filter((one) => one.sku === sku && chosen.includes(one.warehouse));
            return free.reduce((sum, one) => sum + one.free, 0) >= pieces(available.filter((one) => one.sku === sku));
          });
        const choices = Array.from({ length: 2 ** all.length }, (_, bits) => all.filter((_, i) => (bits >> i) & 1));
        const fewest = Math.min(...choices.filter(enough).map((chosen) => chosen.length));
        expect(allotments.length).toBeLessThanOrEqual(fewest);
      }),
    );
  });
});
