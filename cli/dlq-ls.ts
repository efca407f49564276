import { Command } from 'commander';
import type { StoredDeadLetter } from '../database/dead-letters.ts';
import { withDatabase } from './clients.ts';
import { countOption } from './options.ts';
import { examples, print, printJson, table } from './output.ts';
import { cliConfig } from './settings.ts';

interface ListFlags {
  json?: boolean;
  code?: string;
  order?: string;
  source?: string;
  limit: number;
}

/** `oms dlq ls` */
export function createCommand(): Command {
  return new Command()
    .option('--code <code>', 'only this error code')
    .option('--order <id>', 'only of this order')
    .option('--source <name>', 'only from this source')
    .option('--limit <rows>', 'most rows, newest first', countOption(1), 50)
    .addHelpText(
      'after',
      examples('oms dlq ls', 'oms dlq ls --code OMS_INGEST_FIELD_INVALID --limit 10', 'oms dlq ls --json'),
    )
    .action(async (flags: ListFlags) => {
      const { countDeadLetters, listDeadLetters } = await import('../database/dead-letters.ts');
      const { code, order: orderId, source, limit } = flags;
      const { letters, counts } = await withDatabase(await cliConfig(), async (db) => ({
        letters: await listDeadLetters(db, { code, orderId, source, limit }),
        counts: await countDeadLetters(db),
      }));
      if (flags.json) return printJson({ counts, deadLetters: letters.map(shownLetter) });
      print(lettersTable(letters));
      print(`\n${counts.map((one) => `${one.code} ${one.count}`).join('\n') || 'no dead letters'}`);
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
  };
}

function lettersTable(letters: readonly StoredDeadLetter[]): string {
  return table(
    ['ID', 'WHEN', 'RECORD', 'ORDER', 'CODE', 'WHY'],
    letters.map(({ id, createdAt, record, orderId, code, message }) => [
      id.slice(0, 12),
      createdAt.toISOString(),
      `${record.topic} ${record.partition}:${record.offset}`,
      orderId ?? '-',
      code,
      message.slice(0, 100),
    ]),
  );
}
