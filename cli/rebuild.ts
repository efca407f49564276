import { Command } from 'commander';
import type { Operator } from '../database/decisions.ts';
import { decidedBy, operatorOf } from './operator.ts';
import { countOption } from './options.ts';
import { examples, note, printResult } from './output.ts';
import type { RebuildResult } from './rebuild/run-rebuild.ts';
import { cliConfig, localStateDir } from './settings.ts';

interface RebuildFlags extends Operator {
  json?: boolean;
  nextInvoice?: number;
  nextCreditNote?: number;
}

/** `oms rebuild` */
export function createCommand(): Command {
  return decidedBy(new Command())
    .option(
      '--next-invoice <number>',
      'beyond those of charges outside of orders, which no topic tells',
      countOption(1),
    )
    .option('--next-credit-note <number>', 'where the topics do not tell it', countOption(1))
    .addHelpText(
      'after',
      '\nFills a new, empty database from the topics and Temporal, in the place of one that was lost. Stop all roles\n' +
        'first; they start again only when it is done. Prefer a backup: limits, settings, prices set by hand, levels set\n' +
        'by hand and decisions about dead letters stand on no topic.',
    )
    .addHelpText(
      'after',
      examples("oms rebuild --why 'disk of the database lost'", "oms rebuild --why 'disk lost' --json"),
    )
    .action(async (flags: RebuildFlags) => {
      const { runRebuild } = await import('./rebuild/run-rebuild.ts');
      const config = await cliConfig();
      const result = await runRebuild(config, {
        ...operatorOf(flags),
        stateDir: await localStateDir(config),
        next: { invoice: flags.nextInvoice, creditNote: flags.nextCreditNote },
        onStep: (step) => (flags.json ? undefined : note(`rebuilding: ${step}`)),
      });
      printResult(flags, result, () => textOf(result));
    });
}

function textOf({ deploymentId, orders, closed, restarted, deadLetters, unreadable, ...rest }: RebuildResult): string {
  const { withoutStatus, untraced } = rest;
  return [
    `Deployment ${deploymentId} has its database again: ${orders} orders, ${closed} closed, ${restarted} going on in`,
    `new runs; ${deadLetters} dead letters. Start the roles, then look with \`oms audit\`.`,
    ...(unreadable > 0 ? [`${unreadable} records on our topics are none of our events.`] : []),
    ...(withoutStatus.length > 0 ? [`Without a status, and so without state: ${withoutStatus.join(', ')}`] : []),
    ...(untraced.count > 0
      ? [
          `${untraced.count} orders were taken once and have left no trace; \`oms replay\` starts them: ${untraced.orderIds.join(', ')}`,
        ]
      : []),
  ].join('\n');
}
