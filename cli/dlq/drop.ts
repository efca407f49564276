import { Command } from 'commander';
import type { Operator } from '../../database/decisions.ts';
import { cliConfig } from '../../local/settings.ts';
import type { Dropped, LetterFilter } from '../../operations/dead-letters/decide.ts';
import { EXIT_CODES } from '../../platform/exit-codes.ts';
import { withDatabase } from '../../resources/clients.ts';
import { decidedBy, operatorOf } from '../options.ts';
import { examples, printResult, table } from '../output.ts';
import { DECIDED, NONE_CHOSEN, restText, withFilters } from './filters.ts';
import { reasonOf } from './retry.ts';

interface DropFlags extends LetterFilter, Operator {
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
      const { dropLetters } = await import('../../operations/dead-letters/decide.ts');
      const config = await cliConfig();
      const by = { ...operatorOf(flags), again: flags.again };
      const dropped = await withDatabase(config, (db) =>
        dropLetters(db, config.OMS_PREFIX, { ids, filter: flags }, by),
      );
      if (dropped.some(({ outcome }) => outcome === 'skipped')) process.exitCode = EXIT_CODES.failed;
      printResult(flags, dropped, () => textOf(dropped) + restText(ids, flags, dropped.length));
    });
}

function textOf(dropped: readonly Dropped[]): string {
  if (dropped.length === 0) return NONE_CHOSEN;
  return table(
    ['ID', 'OUTCOME', 'WHY'],
    dropped.map((one) => [one.id.slice(0, 12), one.outcome, one.outcome === 'skipped' ? reasonOf(one) : '']),
  );
}
