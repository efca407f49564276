import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';
import { CAUSE_FORMS } from '../../domain/causes.ts';
import { OmsError, shown } from '../../domain/errors.ts';
import { minorUnits } from '../../domain/money.ts';
import type { OrderEvent, OrderItem } from '../../schemas/index.ts';

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

/** The columns of the Online Retail format. */
const COLUMNS = [
  'InvoiceNo',
  'StockCode',
  'Description',
  'Quantity',
  'InvoiceDate',
  'UnitPrice',
  'CustomerID',
  'Country',
] as const;

export type RetailRow = Record<(typeof COLUMNS)[number], string> & {
  /** Line of the file the row ends on, from 1. */
  line: number;
};

/** All rows of one invoice, in the order of the file. */
export interface Invoice {
  invoiceNo: string;
  rows: [RetailRow, ...RetailRow[]];
}

/**
 * The invoices of a CSV file, `.gz` or plain, in the order they first appear. The whole file is read: rows of one
 * invoice need not stand together.
 * @throws OmsError OMS_CLI_INPUT_INVALID when it cannot be read or is not of the format
 */
export async function readInvoices(file: string): Promise<Invoice[]> {
  const invoices = new Map<string, Invoice>();
  for await (const row of rowsOf(file)) {
    const invoice = invoices.get(row.InvoiceNo);
    if (invoice) invoice.rows.push(row);
    else invoices.set(row.InvoiceNo, { invoiceNo: row.InvoiceNo, rows: [row] });
  }
  return [...invoices.values()];
}

/** @throws OmsError OMS_CLI_INPUT_INVALID */
export async function* rowsOf(file: string): AsyncGenerator<RetailRow> {
  const parser = parse({ bom: true, info: true, columns: (header: string[]) => checkedHeader(header) });
  // Errors of each stage reach the reader of the last one.
  pipeline([...sourceOf(file), parser], () => undefined);
  try {
    for await (const { record, info } of parser as AsyncIterable<{
      record: Omit<RetailRow, 'line'>;
      info: { lines: number };
    }>) {
      yield { ...record, line: info.lines };
    }
  } catch (error) {
    throw invalid(file, error);
  }
}

function sourceOf(file: string): [Readable] | [Readable, NodeJS.ReadWriteStream] {
  const source = createReadStream(file);
  return file.endsWith('.gz') ? [source, createGunzip()] : [source];
}

function checkedHeader(header: string[]): string[] {
  const missing = COLUMNS.filter((column) => !header.includes(column));
  if (missing.length > 0) throw new Error(`line 1: no column ${missing.join(', ')}; needed are ${COLUMNS.join(', ')}`);
  return header;
}

function invalid(file: string, cause: unknown): OmsError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new OmsError('OMS_CLI_INPUT_INVALID', `${file}: ${reason}`, { cause });
}
