import { Command } from 'commander';
import type { Operator } from '../database/decisions.ts';
import { cliConfig, localStateDir } from '../local/settings.ts';
import type { RebuildResult } from '../operations/rebuild/run-rebuild.ts';
import { documentId } from '../orders/money/series.ts';
import type { Series } from '../orders/money/series.ts';
import { commandResources } from '../resources/profiles.ts';
import { countOption, decidedBy, operatorOf } from './options.ts';
import { examples, note, printResult } from './output.ts';

interface RebuildFlags extends Operator {
  json?: boolean;
  ontoBackup?: boolean;
  nextInvoice?: number;
  nextCreditNote?: number;
}

/** `oms rebuild` */
export function createCommand(): Command {
  return decidedBy(new Command())
    .option('--onto-backup', 'the database is a backup that was restored: bring it up to what the topics know')
    .option(
      '--next-invoice <number>',
      'beyond those of charges outside of orders, which no topic tells',
      countOption(1),
    )
    .option('--next-credit-note <number>', 'where the topics do not tell it', countOption(1))
    .addHelpText(
      'after',
      '\nFills a new, empty database from the topics and Temporal, in the place of one that was lost; with --onto-backup it\n' +
        'adds to a restored backup what was done since. Stop all roles first; they start again only when it is done. Prefer\n' +
        'a backup: limits, settings, prices and levels set by hand, and decisions of operators, stand on no topic.',
    )
    .addHelpText(
      'after',
      examples(
        "oms rebuild --why 'disk of the database lost'",
        "oms rebuild --onto-backup --why 'backup of 03:00 restored'",
        "oms rebuild --why 'disk lost' --json",
      ),
    )
    .action(async (flags: RebuildFlags) => {
      const { runRebuild } = await import('../operations/rebuild/run-rebuild.ts');
      const config = await cliConfig();
      await using resources = commandResources(config);
      const result = await runRebuild(resources, {
        ...operatorOf(flags),
        ontoBackup: flags.ontoBackup,
        stateDir: await localStateDir(config),
        next: { invoice: flags.nextInvoice, creditNote: flags.nextCreditNote },
        onStep: (step) => (flags.json ? undefined : note(`rebuilding: ${step}`)),
      });
      printResult(flags, result, () => textOf(result));
    });
}

/** Ids and numbers named of a kind. */
const NAMED = 20;

/** What a rebuild has done, what it could not bring back, and the commands that set it again. */
export function textOf(result: RebuildResult): string {
  const { deploymentId, isBackup, orders, closed, restarted, deadLetters } = result;
  const done = isBackup
    ? `The backup of deployment ${deploymentId} is up to date: ${orders} orders had gone on, ${closed} are closed now that were not;`
    : `Deployment ${deploymentId} has its database again: ${orders} orders, ${closed} closed;`;
  return [
    `${done} ${restarted} open orders go on in new runs; ${deadLetters} dead letters.`,
    ...oddities(result),
    '',
    isBackup ? 'Not on any topic, and so as the backup has it:' : 'Not on any topic, and so lost:',
    ...NOT_TOLD.map((line) => `- ${line}`),
    ...lostNumbers(result),
    '',
    'Start the roles, then look with `oms audit`.',
  ].join('\n');
}

const NOT_TOLD = [
  'limits, and what `oms limits` or `/reset` cleared: `oms limits show`, `oms limits set AMOUNT [--customer C]`',
  'maintenance mode: `oms maintenance show`, `oms maintenance on`',
  'levels and prices set by hand, and goods that left since the last level was sent: `oms stock show`, `oms stock set SKU WAREHOUSE PIECES`',
  'charges outside of orders, and what customers spent by them: their numbers are given by `--next-invoice`',
  'decisions of operators, replays, and answers kept for Idempotency-Keys',
  'what was accepted over HTTP and was not on its topic yet: its senders have to send it again',
];

function oddities({ unreadable, foreign, contradicted, withoutStatus, untraced }: RebuildResult): string[] {
  return [
    ...(unreadable > 0 ? [`${unreadable} records on our topics are none of our events or dead letters.`] : []),
    ...(foreign > 0
      ? [
          `${foreign} records on our topics were published by other deployments, and left alone: \`oms audit\` names them.`,
        ]
      : []),
    ...(contradicted.length > 0
      ? [
          `The database had told other events under the numbers of ${contradicted.length} on the topics: it was used after it was ` +
            `restored. \`oms audit\` names their orders. ${some(contradicted)}`,
        ]
      : []),
    ...(withoutStatus.length > 0 ? [`Without a status, and so without state: ${some(withoutStatus)}`] : []),
    ...(untraced.count > 0
      ? [
          `${untraced.count} orders were taken once and have left no trace; \`oms replay\` starts them: ${some(untraced.orderIds)}`,
        ]
      : []),
  ];
}

function lostNumbers({ lostNumbers: lost }: RebuildResult): string[] {
  const ranges = Object.entries(lost).flatMap(([series, pairs]) =>
    pairs.map(([first, last]) => {
      const [from, to] = [documentId(series as Series, first), documentId(series as Series, last)];
      return from === to ? from : `${from} to ${to}`;
    }),
  );
  return ranges.length === 0 ? [] : [`- documents that were numbered and never told: ${some(ranges)}`];
}

const some = (names: readonly string[]): string =>
  names.slice(0, NAMED).join(', ') + (names.length > NAMED ? ` and ${names.length - NAMED} more` : '');
