import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';

/** The month of real orders that the tests use. */
export const RETAIL_FILE = path.join(
  import.meta.dirname,
  '..',
  '..',
  'examples',
  'online-retail',
  'online-retail-2010-12.csv.gz',
);

interface Line {
  sku: string;
  quantity: number;
  /** Pence. */
  unitPrice: number;
}

/** What the file alone says about one invoice. */
export interface RetailInvoice {
  id: string;
  day: string;
  customer: string;
  lines: Line[];
  /** Field that makes it no order; undefined for a valid one. */
  refusedFor: string | undefined;
}

/** One row's fields: commas separate, quotes hold them together, two quotes are one. */
function fieldsOf(row: string): string[] {
  const fields: string[] = [];
  let [field, quoted] = ['', false];
  for (let i = 0; i < row.length; i++) {
    const character = row[i];
    if (character === '"' && quoted && row[i + 1] === '"') {
      field += '"';
      i++;
    } else if (character === '"') quoted = !quoted;
    else if (character === ',' && !quoted) {
      fields.push(field);
      field = '';
    } else field += character;
  }
  return [...fields, field];
}

/** `2.55` and `2.5` as pence. */
function pence(text: string): number {
  const [pounds = '', rest = ''] = text.split('.');
  return Number(pounds) * 100 + Number(`${rest}00`.slice(0, 2));
}

/**
 * The independent count: reads the file with nothing of the system under test. An order needs a customer, and at least
 * one piece of everything.
 */
export function readRetailFile(): RetailInvoice[] {
  const rows = gunzipSync(readFileSync(RETAIL_FILE)).toString('utf8').split(/\r?\n/);
  const invoices = new Map<string, RetailInvoice>();
  for (const row of rows.slice(1)) {
    if (row === '') continue;
    const [id = '', sku = '', , quantity = '', date = '', price = '', customer = ''] = fieldsOf(row);
    const known = invoices.get(id) ?? { id, day: date.slice(0, 10), customer, lines: [], refusedFor: undefined };
    known.lines.push({ sku, quantity: Number(quantity), unitPrice: pence(price) });
    invoices.set(id, known);
  }
  const all = [...invoices.values()];
  for (const invoice of all) invoice.refusedFor = refusalOf(invoice);
  return all;
}

function refusalOf({ customer, lines }: RetailInvoice): string | undefined {
  if (customer === '') return 'payload.customerId';
  const bad = lines.findIndex(({ quantity }) => quantity < 1);
  return bad < 0 ? undefined : `payload.items[${bad}].quantity`;
}
