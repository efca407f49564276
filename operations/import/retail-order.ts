import { CAUSE_FORMS } from '../../domain/causes.ts';
import { shown } from '../../domain/errors.ts';
import type { OrderEvent, OrderItem } from '../../schemas/index.ts';
import type { Invoice, RetailRow } from './invoices.ts';
import { minorUnits } from './minor-units.ts';
import { ukTime } from './uk-time.ts';

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
