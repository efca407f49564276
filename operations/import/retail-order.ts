import { CAUSE_FORMS } from '../../domain/causes.ts';
import { shown } from '../../domain/errors.ts';
import { minorUnits } from '../../domain/money.ts';
import type { OrderEvent, OrderItem } from '../../schemas/index.ts';
import { readInvoices } from './invoices.ts';
import type { Invoice, RetailRow } from './invoices.ts';

/** Why an invoice cannot be put on the topic: the schema has no way to say it. */
export interface RowFault {
  invoiceNo: string;
  line: number;
  field: string;
  value: string;
  rule: string;
}

export type Conversion = { event: OrderEvent } | { fault: RowFault };

const CURRENCY = 'GBP';
const MAX_INT = 2 ** 31;

/**
 * An invoice as the order event a shop system would send: ids, quantities and prices as they stand, also where ingest
 * will refuse them (a credit note's negative quantities, a missing customer). Only what the schema cannot hold, such as
 * a tenth of a penny, is a fault. The event id follows from source and invoice: importing again is sending again.
 */
export function orderOf(invoice: Invoice, source: string): Conversion {
  const [first] = invoice.rows;
  const occurredAt = ukTime(first.InvoiceDate);
  if (occurredAt === undefined) {
    return { fault: fault(first, 'InvoiceDate', 'must be a local time: 2010-12-01 08:26:00') };
  }
  const items: OrderItem[] = [];
  for (const row of invoice.rows) {
    const item = itemOf(row);
    if ('rule' in item) return { fault: item };
    items.push(item);
  }
  const envelope = {
    eventId: CAUSE_FORMS.retailImport(source, invoice.invoiceNo),
    orderId: invoice.invoiceNo,
    occurredAt,
    source,
  };
  const placed = { customerId: customerId(first.CustomerID), currency: CURRENCY, items, shipTo: shipTo(first.Country) };
  return { event: { ...envelope, sequence: null, payload: { 'oms.OrderPlaced': placed } } };
}

function itemOf(row: RetailRow): OrderItem | RowFault {
  const quantity = /^-?\d+$/.test(row.Quantity) ? Number(row.Quantity) : NaN;
  if (!(quantity >= -MAX_INT && quantity < MAX_INT)) return fault(row, 'Quantity', 'must be a whole number of 32 bits');
  const unitPrice = minorUnits(row.UnitPrice);
  if (unitPrice === undefined) return fault(row, 'UnitPrice', 'must be a decimal number of whole pence');
  return { sku: row.StockCode, quantity, unitPrice, description: row.Description === '' ? null : row.Description };
}

/** The data set writes numbers as floats: `17850.0`. */
const customerId = (text: string): string => text.replace(/\.0$/, '');

function shipTo(country: string) {
  const unknown = { name: null, line1: null, line2: null, city: null, region: null, postalCode: null };
  return country === '' ? null : { ...unknown, country };
}

function fault(row: RetailRow, field: keyof RetailRow, rule: string): RowFault {
  return { invoiceNo: row.InvoiceNo, line: row.line, field, value: shown(row[field]), rule };
}

const LOCAL_TIME = /^(\d{4})-(\d{2})-(\d{2})[ T](\d{2}):(\d{2})(?::(\d{2}))?$/;
const HOUR_MS = 3_600_000;

const offsetName = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/London', timeZoneName: 'shortOffset' });

/** How far London is ahead of UTC at this moment, ms. */
function londonOffset(at: number): number {
  const name = offsetName.formatToParts(at).find((part) => part.type === 'timeZoneName')?.value ?? 'GMT';
  return Number(name.replace('GMT', '') || 0) * HOUR_MS;
}

/**
 * A local British time, `2010-12-01 08:26:00`, as ms since the epoch; undefined when it is none. The hour that comes
 * twice in autumn is taken as summer time; one that is skipped in spring, as winter time.
 */
export function ukTime(text: string): number | undefined {
  const parts = LOCAL_TIME.exec(text.trim());
  if (!parts) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
    .slice(1)
    .map((part) => Number(part ?? 0));
  const local = Date.UTC(year, month - 1, day, hour, minute, second);
  if (new Date(local).toISOString().slice(0, 10) !== `${parts[1]}-${parts[2]}-${parts[3]}`) return undefined;
  const inSummer = local - HOUR_MS;
  return londonOffset(inSummer) === HOUR_MS ? inSummer : local;
}

export interface ReadOrders {
  events: OrderEvent[];
  faults: RowFault[];
  rows: number;
}

/** The file's orders as events, or as faults where the schema cannot hold them. */
export async function readOrders(file: string, options: { source: string; day?: string }): Promise<ReadOrders> {
  const all = await readInvoices(file);
  const invoices = options.day
    ? all.filter(({ rows: [first] }) => first.InvoiceDate.startsWith(options.day ?? ''))
    : all;
  const read: ReadOrders = { events: [], faults: [], rows: 0 };
  for (const invoice of invoices) {
    read.rows += invoice.rows.length;
    const converted = orderOf(invoice, options.source);
    if ('event' in converted) read.events.push(converted.event);
    else read.faults.push(converted.fault);
  }
  return read;
}
