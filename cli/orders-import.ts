import { Command } from 'commander';
import type { OrderEvent } from '../schemas/index.ts';
import { importEvents } from './import/import-invoices.ts';
import { readOrders } from './import/read-orders.ts';
import type { RowFault } from './import/retail-order.ts';
import { examples, note, printResult } from './output.ts';
import { createProgress } from './progress.ts';
import { cliConfig } from './settings.ts';
import { dateOption, numberOption } from './options.ts';

interface ImportFlags {
  json?: boolean;
  dryRun?: boolean;
  rate: number;
  source: string;
  day?: string;
}

const ABOUT_FILE = 'CSV of the Online Retail format, also .gz: one row an order line';

/** `oms orders import FILE` */
export function createCommand(): Command {
  return new Command()
    .argument('<file>', ABOUT_FILE)
    .option('--rate <orders per second>', 'no faster than this; 0 = as fast as it goes', numberOption(0), 0)
    .option('--source <name>', 'source the events carry', 'online-retail')
    .option('--day <date>', 'only invoices of this day, e.g. 2010-12-01', dateOption)
    .option('--dry-run', 'read and convert the file, produce nothing')
    .addHelpText(
      'after',
      examples(
        'oms orders import examples/online-retail/online-retail-2010-12.csv.gz',
        'oms orders import month.csv --day 2010-12-01 --rate 50',
        'oms orders import month.csv --dry-run --json',
      ),
    )
    .action(importFile);
}

async function importFile(file: string, flags: ImportFlags): Promise<void> {
  const { events, faults, rows } = await readOrders(file, flags);
  if (!flags.json) for (const fault of faults) note(faultLine(file, fault));
  const result = flags.dryRun ? undefined : await produce(events, flags);
  const refused = [...faults.map((fault) => ({ orderId: fault.invoiceNo, reason: faultLine(file, fault) }))];
  const notProduced = [...refused, ...(result?.refused ?? [])];
  const summary = {
    file,
    rows,
    orders: events.length + faults.length,
    produced: result?.produced ?? 0,
    notProduced,
    seconds: result?.seconds ?? 0,
    perSecond: result?.perSecond ?? 0,
  };
  printResult(flags, summary, () => textOf(summary, flags));
  if (notProduced.length > 0) process.exitCode = 1;
}

async function produce(events: readonly OrderEvent[], flags: ImportFlags) {
  const { openOrderProducer } = await import('./order-producer.ts');
  const producer = await openOrderProducer(await cliConfig());
  const progress = createProgress('orders', events.length, flags.json ?? false);
  try {
    const onProgress = (done: number, perSecond: number): void => progress.to(done, `${perSecond} orders/s`);
    return await importEvents({ producer, events, rate: flags.rate, onProgress });
  } finally {
    progress.end();
    await producer.close();
  }
}

function faultLine(file: string, { line, invoiceNo, field, value, rule }: RowFault): string {
  return `${file}:${line}: invoice ${invoiceNo} cannot be an order event: ${field} is ${value}: ${rule}`;
}

function textOf(
  summary: {
    rows: number;
    orders: number;
    produced: number;
    notProduced: unknown[];
    seconds: number;
    perSecond: number;
  },
  flags: ImportFlags,
): string {
  const { rows, orders, produced, notProduced, seconds, perSecond } = summary;
  const skipped = notProduced.length > 0 ? `; ${notProduced.length} not produced` : '';
  if (flags.dryRun) return `${rows} rows, ${orders} orders would be produced${skipped}`;
  return `${rows} rows, ${produced} of ${orders} orders produced in ${seconds.toFixed(1)} s (${perSecond}/s)${skipped}`;
}
