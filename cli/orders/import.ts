import { Command } from 'commander';
import { cliConfig } from '../../local/settings.ts';
import type { RowFault } from '../../operations/import/retail-order.ts';
import { EXIT_CODES } from '../../platform/exit-codes.ts';
import { commandResources } from '../../resources/profiles.ts';
import { dateOption, numberOption } from '../options.ts';
import { examples, note, printResult } from '../output.ts';
import { createProgress } from '../progress.ts';

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
    .action(importOrders);
}

async function importOrders(file: string, flags: ImportFlags): Promise<void> {
  if (flags.dryRun) return judge(file, flags);
  const { importFile } = await import('../../operations/import/import-invoices.ts');
  await using resources = commandResources(await cliConfig());
  const done = await importFile(resources, file, {
    ...flags,
    onFaults: (faults) => noteFaults(file, faults, flags),
    onBegin: (events) => {
      const progress = createProgress('orders', events, flags.json ?? false);
      return { to: (n, perSecond) => progress.to(n, `${perSecond} orders/s`), end: () => progress.end() };
    },
  });
  const { rows, orders, produced, seconds, perSecond } = done;
  const notProduced = [...notProducedOf(file, done.faults), ...done.refused];
  printResult(flags, { file, rows, orders, produced, seconds, perSecond, notProduced }, () => {
    const took = `${seconds.toFixed(1)} s (${perSecond}/s)`;
    return `${rows} rows, ${produced} of ${orders} orders produced in ${took}${skipped(notProduced)}`;
  });
  if (notProduced.length > 0) process.exitCode = EXIT_CODES.failed;
}

/** Says what would be produced, and what of it ingest would refuse. */
async function judge(file: string, flags: ImportFlags): Promise<void> {
  const { dryImport } = await import('../../operations/import/import-invoices.ts');
  const onFaults = (faults: readonly RowFault[]): void => noteFaults(file, faults, flags);
  const { rows, orders, wouldRefuse, ...read } = await dryImport(file, { ...flags, onFaults });
  const notProduced = notProducedOf(file, read.faults);
  const reasons = read.refusedFields.map(([field, count]) => `  ${count} for ${field}`);
  printResult(flags, { file, rows, orders, produced: 0, notProduced, wouldRefuse }, () =>
    [
      `${rows} rows, ${orders} orders would be produced${skipped(notProduced)}.`,
      `Ingest would take ${orders - wouldRefuse.length} and refuse ${wouldRefuse.length}${reasons.length > 0 ? ':' : '.'}`,
      ...reasons,
    ].join('\n'),
  );
  if (notProduced.length > 0) process.exitCode = EXIT_CODES.failed;
}

interface NotProduced {
  orderId: string;
  reason: string;
}

function noteFaults(file: string, faults: readonly RowFault[], { json }: ImportFlags): void {
  if (!json) for (const fault of faults) note(faultLine(file, fault));
}

const notProducedOf = (file: string, faults: readonly RowFault[]): NotProduced[] =>
  faults.map((fault) => ({ orderId: fault.invoiceNo, reason: faultLine(file, fault) }));

const skipped = (notProduced: readonly NotProduced[]): string =>
  notProduced.length > 0 ? `; ${notProduced.length} not produced` : '';

function faultLine(file: string, { line, invoiceNo, field, value, rule }: RowFault): string {
  return `${file}:${line}: invoice ${invoiceNo} cannot be an order event: ${field} is ${value}: ${rule}`;
}
