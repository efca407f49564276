import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ALLOCATION_STRATEGIES } from '../../domain/allocation.ts';
import type { WantedLine } from '../../domain/allocation.ts';
import { loadConfig } from '../../platform/config/load.ts';

const { allocate, keepsStock } = ALLOCATION_STRATEGIES.reference;
const line = (n: number, sku: string, quantity = 1): WantedLine => ({ line: n, sku, quantity });

describe('The rule the reference simulates its inventory with', () => {
  it('ships the first item from Warehouse A and all further ones from Warehouse B, without any stock', () => {
    const lines = [line(1, 'Nike', 5), line(2, 'Vans'), line(3, 'Nike')];
    expect(allocate(lines, [])).toEqual({
      unavailable: [],
      allotments: [
        { warehouse: 'Warehouse A', lines: [lines[0]] },
        { warehouse: 'Warehouse B', lines: [lines[1], lines[2]] },
      ],
    });
    expect(keepsStock).toBe(false);
  });

  it('ships a single item from Warehouse A alone', () => {
    expect(allocate([line(1, 'Nike')], []).allotments).toEqual([
      { warehouse: 'Warehouse A', lines: [line(1, 'Nike')] },
    ]);
  });

  it('has whatever contains Adidas unavailable, spelt just so, and takes the first of the rest for Warehouse A', () => {
    const lines = [line(1, 'Adidas Classic'), line(2, 'adidas low'), line(3, 'New Adidas'), line(4, 'Nike')];
    expect(allocate(lines, [])).toEqual({
      unavailable: [lines[0], lines[2]],
      allotments: [
        { warehouse: 'Warehouse A', lines: [lines[1]] },
        { warehouse: 'Warehouse B', lines: [lines[3]] },
      ],
    });
  });

  it('splits an order of which all items are unavailable, where the reference panics', () => {
    const lines = [line(1, 'Adidas Classic', 2), line(2, 'Adidas Classic')];
    expect(allocate(lines, [])).toEqual({ unavailable: lines, allotments: [] });
  });

  it('gives every line once and whole, to at most two warehouses', () => {
    const sku = fc.constantFrom('Adidas', 'Nike', 'Vans');
    const some = fc.array(fc.record({ sku, quantity: fc.integer({ min: 1, max: 9 }) }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(some, (items) => {
        const lines = items.map((item, i) => ({ line: i + 1, ...item }));
        const { unavailable, allotments } = allocate(lines, []);
        const given = [...unavailable, ...allotments.flatMap((lot) => lot.lines)];
        expect(given.toSorted((a, b) => a.line - b.line)).toEqual(lines);
        expect(allotments.length).toBeLessThanOrEqual(2);
      }),
    );
  });

  it('is chosen by a setting; without it, orders are split by the stock there is', () => {
    expect(loadConfig({}).OMS_ALLOCATION).toBe('fewest-shipments');
    expect(ALLOCATION_STRATEGIES[loadConfig({}).OMS_ALLOCATION].keepsStock).toBe(true);
    expect(loadConfig({ OMS_ALLOCATION: 'reference' }).OMS_ALLOCATION).toBe('reference');
    expect(() => loadConfig({ OMS_ALLOCATION: 'nearest' })).toThrow(/OMS_ALLOCATION is "nearest"/);
  });
});
