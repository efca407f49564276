import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { minorUnits } from '../../domain/money.ts';
import { orderOf, readInvoices, readOrders, ukTime } from '../../operations/import/retail-order.ts';
import type { Invoice } from '../../operations/import/retail-order.ts';
import { RETAIL_FILE, readRetailFile } from '../helpers/retail-file.ts';

const HEADER = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country';
const ROW = '536365,85123A,HEART,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom';
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'oms-import-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(...lines: string[]): string {
  const name = path.join(folder, `${Math.random()}.csv`);
  writeFileSync(name, lines.join('\n'));
  return name;
}

describe('a price', () => {
  it.each([
    ['2.55', 255],
    ['2.5', 250],
    ['3', 300],
    ['0', 0],
    ['0.0', 0],
    ['-1.25', -125],
    ['19.990', 1_999],
    ['90071992547409.91', Number.MAX_SAFE_INTEGER],
  ])('of %s is %i minor units', (text, amount) => {
    expect(minorUnits(text)).toBe(amount);
  });

  it.each(['', 'abc', '1,25', '0.001', '2.555', '1e3', '.5', '90071992547409.92', 'NaN'])(
    'of "%s" is refused',
    (text) => {
      expect(minorUnits(text)).toBeUndefined();
    },
  );

  it('is read exactly, whatever the amount', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000_000 }), (amount) => {
        const text = `${Math.floor(amount / 100)}.${String(amount % 100).padStart(2, '0')}`;
        expect(minorUnits(text)).toBe(amount);
      }),
    );
  });
});

describe('a local British time', () => {
  it.each([
    ['2010-12-01 08:26:00', '2010-12-01T08:26:00Z'],
    ['2011-07-01 08:26:00', '2011-07-01T07:26:00Z'],
    ['2011-03-27 00:59:00', '2011-03-27T00:59:00Z'],
    ['2011-03-27 02:00:00', '2011-03-27T01:00:00Z'],
    ['2011-10-30 00:30:00', '2011-10-29T23:30:00Z'],
    ['2011-10-30 01:30:00', '2011-10-30T00:30:00Z'], // comes twice: summer time is taken
    ['2011-10-30 02:00:00', '2011-10-30T02:00:00Z'],
  ])('%s is %s', (local, utc) => {
    expect(new Date(ukTime(local) ?? NaN).toISOString()).toBe(utc.replace('Z', '.000Z'));
  });

  it.each(['', '2010-13-01 08:26:00', '2010-02-30 08:26:00', '1/12/2010 08:26', '2010-12-01'])(
    '"%s" is none',
    (text) => {
      expect(ukTime(text)).toBeUndefined();
    },
  );
});

describe('an invoice of the Online Retail format', () => {
  it('becomes the order event a shop would send', async () => {
    const { events } = await readOrders(file(HEADER, ROW, ROW.replace('85123A,HEART', '71053,')), { source: 'shop' });
    expect(events).toEqual([
      {
        eventId: 'shop/536365/placed',
        orderId: '536365',
        occurredAt: Date.UTC(2010, 11, 1, 8, 26),
        source: 'shop',
        sequence: null,
        payload: {
          'oms.OrderPlaced': {
            customerId: '17850',
            currency: 'GBP',
            items: [
              { sku: '85123A', quantity: 6, unitPrice: 255, description: 'HEART' },
              { sku: '71053', quantity: 6, unitPrice: 255, description: null },
            ],
            shipTo: {
              name: null,
              line1: null,
              line2: null,
              city: null,
              region: null,
              postalCode: null,
              country: 'United Kingdom',
            },
          },
        },
      },
    ]);
  });

  it('goes as it is when it is no valid order: ingest judges', async () => {
    const credit = 'C536379,D,Discount,-1,2010-12-01 09:41:00,27.5,,United Kingdom';
    const { events, faults } = await readOrders(file(HEADER, credit), { source: 'shop' });
    expect(faults).toEqual([]);
    expect(events[0]?.payload).toMatchObject({
      'oms.OrderPlaced': { customerId: '', items: [{ quantity: -1, unitPrice: 2_750 }] },
    });
  });

  it.each([
    ['UnitPrice', '2.55', '0.001', 'must be a decimal number of whole pence'],
    ['Quantity', ',6,', ',6.5,', 'must be a whole number of 32 bits'],
    ['Quantity', ',6,', ',3000000000,', 'must be a whole number of 32 bits'],
    ['InvoiceDate', '2010-12-01 08:26:00', 'yesterday', 'must be a local time: 2010-12-01 08:26:00'],
  ])('that the schema cannot hold is reported by line and %s', async (field, from, to, rule) => {
    const { events, faults } = await readOrders(file(HEADER, ROW.replace('536365', '1'), ROW.replace(from, to)), {
      source: 'shop',
    });
    expect(events.map(({ orderId }) => orderId)).toEqual(['1']);
    expect(faults).toEqual([
      { invoiceNo: '536365', line: 3, field, value: JSON.stringify(to.replaceAll(',', '')), rule },
    ]);
  });

  it('gathers its rows from all over the file, in their order', async () => {
    const rows = [ROW, ROW.replace('536365', '2'), ROW.replace('85123A', 'X')];
    const invoices = await readInvoices(file(HEADER, ...rows));
    expect(invoices.map(({ invoiceNo, rows: own }) => [invoiceNo, own.map(({ StockCode }) => StockCode)])).toEqual([
      ['536365', ['85123A', 'X']],
      ['2', ['85123A']],
    ]);
  });
});

describe('a file that is not of the format', () => {
  it('is refused, naming the missing columns', async () => {
    await expect(readInvoices(file('a,b', '1,2'))).rejects.toMatchObject({
      code: 'OMS_CLI_INPUT_INVALID',
      message: expect.stringContaining('no column InvoiceNo, StockCode'),
    });
  });

  it('is refused, naming the line of a row that is cut short', async () => {
    await expect(readInvoices(file(HEADER, '536365,85123A'))).rejects.toMatchObject({
      code: 'OMS_CLI_INPUT_INVALID',
      message: expect.stringMatching(/line 2/),
    });
  });

  it('is refused when it is not there, or .gz in name only', async () => {
    await expect(readInvoices(path.join(folder, 'none.csv'))).rejects.toMatchObject({ code: 'OMS_CLI_INPUT_INVALID' });
    const fake = path.join(folder, 'fake.csv.gz');
    writeFileSync(fake, HEADER);
    await expect(readInvoices(fake)).rejects.toMatchObject({ code: 'OMS_CLI_INPUT_INVALID' });
  });
});

describe('the month of real orders', () => {
  let invoices: Invoice[];
  beforeAll(async () => {
    invoices = await readInvoices(RETAIL_FILE);
  }, 60_000);

  it('is read as an independent reader reads it, line by line', () => {
    const ours = invoices.map((invoice) => {
      const converted = orderOf(invoice, 'x');
      if (!('event' in converted) || !('oms.OrderPlaced' in converted.event.payload)) throw new Error('no order');
      const { items, customerId } = converted.event.payload['oms.OrderPlaced'];
      return [invoice.invoiceNo, customerId, items.map(({ sku, quantity, unitPrice }) => [sku, quantity, unitPrice])];
    });
    const theirs = readRetailFile().map(({ id, customer, lines }) => [
      id,
      customer.replace('.0', ''),
      lines.map(({ sku, quantity, unitPrice }) => [sku, quantity, unitPrice]),
    ]);
    expect(ours).toEqual(theirs);
  });

  it('gives the same events, ids included, whenever it is read', () => {
    for (const invoice of invoices.slice(0, 50)) expect(orderOf(invoice, 'shop')).toEqual(orderOf(invoice, 'shop'));
  });
});

describe('an import of one day', () => {
  it('takes the invoices of that day only', async () => {
    const rows = [ROW, ROW.replace('536365', '2').replace('12-01', '12-02'), ROW.replace('536365', '3')];
    const { events } = await readOrders(file(HEADER, ...rows), { source: 'x', day: '2010-12-01' });
    expect(events.map(({ orderId }) => orderId)).toEqual(['536365', '3']);
  });
});
