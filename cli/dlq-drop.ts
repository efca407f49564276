import { Command } from 'commander';
import type { Operator } from '../database/decisions.ts';
import { cliConfig } from '../local/settings.ts';
import { EXIT_CODES } from '../platform/exit-codes.ts';
import { withDatabase } from '../resources/clients.ts';
import { DECIDED, NONE_CHOSEN, chosenLetters, restText, withFilters } from './dlq/filters.ts';
import type { FilterFlags } from './dlq/filters.ts';
import { reasonOf, skipped } from './dlq/skipped.ts';
import type { Skipped } from './dlq/skipped.ts';
import { decidedBy, operatorOf } from './operator.ts';
import { examples, printResult, table } from './output.ts';

interface DropFlags extends FilterFlags, Operator {
  json?: boolean;
  again?: boolean;
}

type Dropped = { id: string; outcome: 'dropped' } | Skipped;

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
      const { dropLetter } = await import('../operations/dead-letters/redrive.ts');
      const config = await cliConfig();
      const dropped = await withDatabase(config, async (db) => {
        const letters = await chosenLetters(db, ids, flags, config.OMS_PREFIX);
        const by = { ...operatorOf(flags), again: flags.again };
        const drop = (id: string): Promise<Dropped> =>
          dropLetter(db, id, by).then(
            () => ({ id, outcome: 'dropped' }),
            (error: unknown) => skipped(id, error),
          );
        const all: Dropped[] = [];
        for (const { id } of letters) all.push(await drop(id));
        return all;
      });
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
