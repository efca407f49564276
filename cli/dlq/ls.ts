import { Command } from 'commander';
import type { LetterState, StoredDeadLetter } from '../../database/dead-letters.ts';
import { cliConfig } from '../../local/settings.ts';
import type { LetterFilter } from '../../operations/dead-letters/decide.ts';
import { withDatabase } from '../../resources/clients.ts';
import { examples, print, printJson, table } from '../output.ts';
import { stateOption, withFilters } from './filters.ts';

interface ListFlags extends LetterFilter {
  json?: boolean;
  state?: LetterState;
}

/** `oms dlq ls` */
export function createCommand(): Command {
  return withFilters(new Command(), { limit: 50, order: 'newest first' })
    .option('--state <state>', 'only open, retried, edited or dropped ones', stateOption)
    .addHelpText(
      'after',
      examples(
        'oms dlq ls --state open',
        'oms dlq ls --code OMS_INGEST_FIELD_INVALID --since 24h --limit 10',
        'oms dlq ls --order 536365 --json',
        'oms dlq ls --topic carrier-updates --state open',
      ),
    )
    .action(async (flags: ListFlags) => {
      const { countDeadLetters, listDeadLetters } = await import('../../database/dead-letters.ts');
      const { storedFilter } = await import('../../operations/dead-letters/decide.ts');
      const config = await cliConfig();
      const filter = { ...storedFilter(flags, config.OMS_PREFIX), state: flags.state };
      const { letters, counts } = await withDatabase(config, async (db) => ({
        letters: await listDeadLetters(db, filter),
        counts: await countDeadLetters(db, filter),
      }));
      if (flags.json) return printJson({ counts, deadLetters: letters.map(shownLetter) });
      print(lettersTable(letters));
      const lines = counts.map(({ code, count, open }) => `${code} ${count}, ${open} open`);
      print(`\n${lines.join('\n') || 'no dead letter is chosen by this'}`);
    });
}

/** A dead letter without its bytes. */
export function shownLetter({
  id,
  code,
  message,
  fault,
  orderId,
  source,
  record,
  createdAt,
  sentAt,
  decision,
  decidedAt,
  attempt,
}: StoredDeadLetter) {
  const { topic, partition } = record;
  return {
    id,
    code,
    message,
    fault,
    orderId,
    source,
    topic,
    partition,
    offset: String(record.offset),
    createdAt,
    sentAt,
    attempt,
    decision,
    decidedAt,
  };
}

function lettersTable(letters: readonly StoredDeadLetter[]): string {
  return table(
    ['ID', 'WHEN', 'STATE', 'ATTEMPT', 'RECORD', 'ORDER', 'CODE', 'WHY'],
    letters.map(({ id, createdAt, decision, attempt, record, orderId, code, message }) => [
      id.slice(0, 12),
      createdAt.toISOString(),
      decision ?? 'open',
      attempt,
      `${record.topic} ${record.partition}:${record.offset}`,
      orderId ?? '-',
      code,
      message.slice(0, 100),
    ]),
  );
}
