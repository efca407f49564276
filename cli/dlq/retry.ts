import { Command } from 'commander';
import type { Database } from '../../database/database.ts';
import type { Operator } from '../../database/decisions.ts';
import type { Codec } from '../../kafka/codec/codec.ts';
import type { Publisher } from '../../kafka/producer/publisher.ts';
import { cliConfig } from '../../local/settings.ts';
import type { LetterFilter, Retried, Skipped } from '../../operations/dead-letters/decide.ts';
import type { Config } from '../../platform/config/settings.ts';
import { EXIT_CODES } from '../../platform/exit-codes.ts';
import { withCommandResources } from '../../resources/clients.ts';
import { decidedBy, operatorOf } from '../options.ts';
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

/** What it takes to put records back on their topics. */
interface Redriver {
  db: Database;
  publisher: Publisher;
  codec: Codec;
  prefix: string;
  /** @throws OmsError OMS_KAFKA_UNAVAILABLE, OMS_KAFKA_TOPIC_MISSING: before a decision is written down */
  assertTopics(topics: readonly string[]): Promise<void>;
}

/** Opens it for `work`, and closes it whatever comes of it. */
export async function withRedriver<T>(config: Config, work: (redriver: Redriver) => Promise<T>): Promise<T> {
  const { requireTopics } = await import('../../operations/produce/topic-producer.ts');
  return withCommandResources(config, async (resources) => {
    const [db, codec, publisher] = [
      await resources.database(),
      await resources.codec(),
      await resources.openPublisher(),
    ];
    const assertTopics = (topics: readonly string[]): Promise<void> => requireTopics(resources, [...new Set(topics)]);
    try {
      return await work({ db, publisher, codec, prefix: config.OMS_PREFIX, assertTopics });
    } finally {
      await publisher.close();
    }
  });
}
