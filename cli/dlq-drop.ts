import { Command } from 'commander';
import type { Operator } from '../database/decisions.ts';
import type { FilterFlags } from './dlq/filters.ts';
import { DECIDED, chosenLetters, restText, withFilters } from './dlq/filters.ts';
import { decidedBy, operatorOf } from './operator.ts';
import { withDatabase } from './clients.ts';
import { examples, printResult } from './output.ts';
import { cliConfig } from './settings.ts';

interface DropFlags extends FilterFlags, Operator {
  json?: boolean;
  again?: boolean;
}

/** `oms dlq drop` */
export function createCommand(): Command {
  return withFilters(decidedBy(new Command()), DECIDED)
    .argument('[ids...]', 'ids of dead letters, or how they begin')
    .option('--again', 'also those that were decided about already')
    .addHelpText('after', '\nGives dead letters up: they stay where they are, and are no longer open.')
    .addHelpText(
      'after',
      examples(
        "oms dlq drop 3f2a9c41d07b --why 'a test by the shop'",
        "oms dlq drop --source shop-test --why 'test system'",
      ),
    )
    .action(async (ids: string[], flags: DropFlags) => {
      const { dropLetter } = await import('../ingest/redrive/redrive.ts');
      const config = await cliConfig();
      const dropped = await withDatabase(config, async (db) => {
        const letters = await chosenLetters(db, ids, flags, config.OMS_PREFIX);
        const by = { ...operatorOf(flags), again: flags.again };
        for (const { id } of letters) await dropLetter(db, id, by);
        return letters.map(({ id }) => id);
      });
      const rest = restText(ids, flags, dropped.length);
      printResult(flags, { dropped }, () => `${dropped.length} dead letters dropped${rest}`);
    });
}
