import { Command } from 'commander';
import type { Operator } from '../database/decisions.ts';
import { cliConfig, localStateDir } from '../local/settings.ts';
import { commandResources } from '../resources/profiles.ts';
import { decidedBy, operatorOf } from './operator.ts';
import { countOption } from './options.ts';
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
      const { textOf } = await import('./rebuild-text.ts');
      printResult(flags, result, () => textOf(result));
    });
}
