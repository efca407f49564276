import { Command } from 'commander';
import type { Operator } from '../database/decisions.ts';
import { cliConfig } from '../local/settings.ts';
import type { Redriven } from '../operations/dead-letters/redrive.ts';
import { EXIT_CODES } from '../platform/exit-codes.ts';
import { DECIDED, NONE_CHOSEN, chosenLetters, restText, withFilters } from './dlq/filters.ts';
import type { FilterFlags } from './dlq/filters.ts';
import type { Redriver } from './dlq/redriver.ts';
import { reasonOf, skipped } from './dlq/skipped.ts';
import type { Skipped } from './dlq/skipped.ts';
import { decidedBy, operatorOf } from './operator.ts';
import { examples, printResult, table } from './output.ts';

interface RetryFlags extends FilterFlags, Operator {
  json?: boolean;
  again?: boolean;
}

/** What came of one letter; `skipped` by a rule about decisions. */
export type Retried = Redriven | Skipped;

/** `oms dlq retry` */
export function createCommand(): Command {
  return withFilters(decidedBy(new Command()), DECIDED)
    .argument('[ids...]', 'ids of dead letters, or how they begin')
    .option('--again', 'also those that were decided about already')
    .addHelpText(
      'after',
      '\nPuts the records back on their topics as they came, with the number of the attempt in the header\n' +
        'oms-dlq-attempt. They are judged like any other record; one that is refused again is a new dead letter.',
    )
    .addHelpText(
      'after',
      examples(
        "oms dlq retry 3f2a9c41d07b --why 'schema registered since'",
        "oms dlq retry --code OMS_INGEST_SCHEMA_UNKNOWN --since 24h --why 'schema registered since'",
      ),
    )
    .action(async (ids: string[], flags: RetryFlags) => {
      const { withRedriver } = await import('./dlq/redriver.ts');
      const retried = await withRedriver(await cliConfig(), (redriver) => retryAll(redriver, ids, flags));
      if (retried.some(({ outcome }) => outcome !== 'produced')) process.exitCode = EXIT_CODES.failed;
      printResult(flags, retried, () => textOf(retried) + restText(ids, flags, retried.length));
    });
}

async function retryAll(redriver: Redriver, ids: readonly string[], flags: RetryFlags): Promise<Retried[]> {
  const { redriveLetter } = await import('../operations/dead-letters/redrive.ts');
  const { kindOfTopic } = await import('../operations/dead-letters/replacement.ts');
  const letters = await chosenLetters(redriver.db, ids, flags, redriver.prefix);
  for (const { record } of letters) kindOfTopic(record.topic, redriver.prefix);
  await redriver.assertTopics(letters.map(({ record }) => record.topic));
  const by = { ...operatorOf(flags), again: flags.again };
  const retried: Retried[] = [];
  // One after the other: records of one order keep their order.
  for (const { id } of letters)
    retried.push(await redriveLetter(redriver, id, by).catch((error) => skipped(id, error)));
  return retried;
}

function textOf(retried: readonly Retried[]): string {
  if (retried.length === 0) return NONE_CHOSEN;
  const rows = retried.map((one) => [one.id.slice(0, 12), one.outcome, placeOf(one)]);
  return table(['ID', 'OUTCOME', 'WHERE'], rows);
}

export function placeOf(one: Retried): string {
  if (one.outcome !== 'produced') return reasonOf(one);
  return `${one.topic} ${one.partition}:${one.offset}, attempt ${one.attempt}`;
}
