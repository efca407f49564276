import { Command } from 'commander';
import { cliConfig } from '../local/settings.ts';
import { importEvents } from '../operations/import/import-invoices.ts';
import { readOrders } from '../operations/import/retail-order.ts';
import type { ReadOrders, RowFault } from '../operations/import/retail-order.ts';
import { EXIT_CODES } from '../platform/exit-codes.ts';
import type { OrderEvent } from '../schemas/index.ts';
import { commandResources } from '../resources/profiles.ts';
import { dateOption, numberOption } from './options.ts';
import { examples, note, printResult } from './output.ts';
import { createProgress } from './progress.ts';

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
    .option('--dry-run', 'produce nothing; say what ingest would refuse')
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
  const read = await readOrders(file, flags);
  const faults = read.faults.map((fault) => ({ orderId: fault.invoiceNo, reason: faultLine(file, fault) }));
  if (!flags.json) for (const { reason } of faults) note(reason);
  if (flags.dryRun) await judge(file, read, faults, flags);
  else await importOrders(file, read, faults, flags);
}

interface NotProduced {
  orderId: string;
  reason: string;
}

/** Says what would be produced, and what of it ingest would refuse. */
async function judge(file: string, read: ReadOrders, faults: NotProduced[], flags: ImportFlags): Promise<void> {
  const { refusalsAmong, refusedFields } = await import('../operations/import/import-invoices.ts');
  const wouldRefuse = refusalsAmong(read.events);
  const summary = { file, rows: read.rows, orders: read.events.length, produced: 0, notProduced: faults, wouldRefuse };
  const reasons = refusedFields(wouldRefuse).map(([field, count]) => `  ${count} for ${field}`);
  printResult(flags, summary, () =>
    [
      `${read.rows} rows, ${read.events.length} orders would be produced${skipped(faults)}.`,
      `Ingest would take ${read.events.length - wouldRefuse.length} and refuse ${wouldRefuse.length}${reasons.length > 0 ? ':' : '.'}`,
      ...reasons,
    ].join('\n'),
  );
  if (faults.length > 0) process.exitCode = EXIT_CODES.failed;
}

async function importOrders(file: string, read: ReadOrders, faults: NotProduced[], flags: ImportFlags): Promise<void> {
  const { refused, ...counts } = await produce(read.events, flags);
  const notProduced = [...faults, ...refused];
  const orders = read.events.length + faults.length;
  const { produced, seconds, perSecond } = counts;
  printResult(flags, { file, rows: read.rows, orders, ...counts, notProduced }, () => {
    const took = `${seconds.toFixed(1)} s (${perSecond}/s)`;
    return `${read.rows} rows, ${produced} of ${orders} orders produced in ${took}${skipped(notProduced)}`;
  });
  if (notProduced.length > 0) process.exitCode = EXIT_CODES.failed;
}

const skipped = (notProduced: readonly NotProduced[]): string =>
  notProduced.length > 0 ? `; ${notProduced.length} not produced` : '';

async function produce(events: readonly OrderEvent[], flags: ImportFlags) {
  const { openOrderProducer } = await import('../operations/produce/topic-producer.ts');
  await using resources = commandResources(await cliConfig());
  const producer = await openOrderProducer(resources);
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
