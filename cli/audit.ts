import { Command, InvalidArgumentError } from 'commander';
import { OmsError } from '../domain/errors.ts';
import { ORDER_ID_RULE, isOrderId } from '../domain/ids.ts';
import { cliConfig } from '../local/settings.ts';
import type { AuditReport } from '../operations/audit/audit.ts';
import { AUDIT_PARTS } from '../operations/audit/difference.ts';
import type { AuditPart } from '../operations/audit/difference.ts';
import { EXIT_CODES } from '../platform/exit-codes.ts';
import { keepGarbageSmall } from '../platform/node-flags.ts';
import { withCommandResources } from '../resources/clients.ts';
import { numberOption, operatorName, repeatable, timeOption, wordsOption } from './options.ts';
import { examples, note, printResult, table } from './output.ts';

interface AuditFlags {
  json?: boolean;
  repair?: boolean;
  why?: string;
  who: string;
  only?: AuditPart[];
  order?: string[];
  since?: Date;
  grace: number;
  settle: number;
}

const MS = 1_000;

/** `oms audit` */
export function createCommand(): Command {
  return new Command()
    .option('--repair', 'mend what is safe: start orders again that lost their workflow, send newest events again')
    .option('--why <text>', 'why you repair; recorded, and needed with --repair', wordsOption)
    .option('--who <name>', 'who repairs; recorded', wordsOption, operatorName())
    .option('--only <parts>', `some parts, with commas between: ${AUDIT_PARTS.join(', ')}`, partsOption)
    .option('--order <id>', 'only this order; may be given again', orderOption)
    .option('--since <time>', 'only orders that changed since: a time, or how long ago (24h)', timeOption)
    .option('--grace <seconds>', 'what is younger may still be under way', numberOption(0), 60)
    .option('--settle <seconds>', 'look at what was found again after so long', numberOption(0), 5)
    .addHelpText(
      'after',
      '\nCompares ledger, Temporal, outbox, topics, dead letters, news of carriers, stock, invoices and the records of the\n' +
        'providers, while the OMS runs. Exits with 1 when differences are found, repaired or not.',
    )
    .addHelpText(
      'after',
      examples(
        'oms audit',
        "oms audit --repair --why 'Temporal was restored from a backup'",
        'oms audit --only topics,stock --json',
        'oms audit --order 536365',
      ),
    )
    .action(audit);
}

function orderOption(text: string, before: string[] = []): string[] {
  if (isOrderId(text)) return repeatable(text, before);
  throw new InvalidArgumentError(ORDER_ID_RULE);
}

function partsOption(text: string): AuditPart[] {
  return text.split(',').map((word) => {
    const part = AUDIT_PARTS.find((one) => one === word.trim());
    if (part) return part;
    throw new InvalidArgumentError(`must be some of ${AUDIT_PARTS.join(', ')}`);
  });
}

async function audit(flags: AuditFlags): Promise<void> {
  const { repair, why, who, only, order, since, grace, settle } = flags;
  if (repair && !why) throw new OmsError('OMS_CLI_USAGE', '--repair needs --why: what is repaired is recorded');
  keepGarbageSmall();
  const config = await cliConfig();
  const { runAudit } = await import('../operations/audit/audit.ts');
  const { auditParts } = await import('../operations/audit/parts.ts');
  const report = await withCommandResources(config, async (resources) =>
    runAudit(await auditParts(resources), {
      ...{ parts: only, orderIds: order, since, graceMs: grace * MS, settleMs: settle * MS },
      repair: repair && why ? { who, why } : undefined,
      onProgress: createAuditProgress(flags.json ?? false),
    }),
  );
  if (report.differences.length + report.unknown.length > 0) process.exitCode = EXIT_CODES.failed;
  printResult(flags, report, () => auditText(report));
}

/** A report as text: the differences, then the invariants. */
function auditText({ differences, counts, invariants, orders, unknown, records, parts }: AuditReport): string {
  const rows = differences.map(({ code, orderId, subject, detail, remedy, repaired }) => [
    ...[code, orderId ?? '-', subject, detail],
    repaired ?? (remedy ? 'can be: --repair' : 'by hand'),
  ]);
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const listed = differences.length < total ? ` (${differences.length} listed)` : '';
  const lines = invariants.map(({ states, holds, broken }) =>
    holds === null ? `? ${states} (not all audited)` : holds ? `= ${states}` : `! ${states}: ${broken} differences`,
  );
  return [
    ...(rows.length > 0 ? [table(['CODE', 'ORDER', 'SUBJECT', 'FOUND', 'REPAIR'], rows), ''] : []),
    ...lines,
    '',
    ...unknown.map((orderId) => `order ${orderId} is known nowhere`),
    `${total} differences${listed} in ${orders} orders and ${records} records; audited: ${parts.join(', ')}`,
  ].join('\n');
}

const EVERY_MS = 2_000;

/** Says now and then how far the audit is; nothing in the way of JSON. */
function createAuditProgress(json: boolean): (progress: { orders: number; records: number }) => void {
  let toldAt = performance.now();
  return ({ orders, records }) => {
    if (json || performance.now() - toldAt < EVERY_MS) return;
    toldAt = performance.now();
    note(`${records} records read, ${orders} orders compared`);
  };
}
