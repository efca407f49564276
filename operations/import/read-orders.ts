import type { OrderEvent } from '../../schemas/index.ts';
import { readInvoices } from './invoices.ts';
import { orderOf } from './retail-order.ts';
import type { RowFault } from './retail-order.ts';

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
