import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';
import { OmsError } from '../../domain/errors.ts';

/** The columns of the Online Retail format. */
export const COLUMNS = [
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
