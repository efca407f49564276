import { Command } from 'commander';
import type { Operator } from '../../database/decisions.ts';
import { cliConfig } from '../../local/settings.ts';
import type { LetterFilter, Retried, Skipped } from '../../operations/dead-letters/decide.ts';
import { EXIT_CODES } from '../../platform/exit-codes.ts';
import { decidedBy, operatorOf } from '../operator.ts';
import { examples, printResult, table } from '../output.ts';
import { DECIDED, NONE_CHOSEN, restText, withFilters } from './filters.ts';

interface RetryFlags extends LetterFilter, Operator {
  json?: boolean;
  again?: boolean;
}

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
      const { withRedriver } = await import('./redriver.ts');
      const { retryLetters } = await import('../../operations/dead-letters/decide.ts');
      const by = { ...operatorOf(flags), again: flags.again };
      const retried = await withRedriver(await cliConfig(), (parts) => retryLetters(parts, { ids, filter: flags }, by));
      if (retried.some(({ outcome }) => outcome !== 'produced')) process.exitCode = EXIT_CODES.failed;
      printResult(flags, retried, () => textOf(retried) + restText(ids, flags, retried.length));
    });
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

/** Why a letter is where it was. */
export const reasonOf = ({ code, message }: Pick<Skipped, 'code' | 'message'>): string => `${code}: ${message}`;
