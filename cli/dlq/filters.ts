import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import type { Database } from '../../database/database.ts';
import { LETTER_STATES } from '../../database/dead-letters.ts';
import type { DeadLetterFilter, LetterState, StoredDeadLetter } from '../../database/dead-letters.ts';
import { ERRORS, OmsError } from '../../domain/errors.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import { INPUT_TOPICS, topicNames } from '../../kafka/topics.ts';
import type { InputTopic } from '../../kafka/topics.ts';
import { findLetter } from '../../operations/dead-letters/redrive.ts';
import { countOption, timeOption } from '../options.ts';

export interface FilterFlags {
  code?: ErrorCode;
  order?: string;
  source?: string;
  topic?: InputTopic;
  since?: Date;
  until?: Date;
  limit: number;
}

/** The options that choose dead letters. */
export function withFilters(command: Command, { limit, order }: { limit: number; order: string }): Command {
  return command
    .option('--code <code>', 'only this error code', codeOption)
    .option('--order <id>', 'only of this order')
    .option('--source <name>', 'only from this source')
    .addOption(new Option('--topic <topic>', 'only from this topic').choices(INPUT_TOPICS))
    .option('--since <time>', 'only refused since: a time, or how long ago (24h)', timeOption)
    .option('--until <time>', 'only refused before', timeOption)
    .option('--limit <rows>', `most of them, ${order}`, countOption(1), limit);
}

/** A misspelt code would choose nothing, and pass for good news. */
function codeOption(text: string): ErrorCode {
  if (Object.hasOwn(ERRORS, text)) return text as ErrorCode;
  throw new InvalidArgumentError('must be an error code, such as OMS_INGEST_FIELD_INVALID; docs/errors.md has all');
}

export function stateOption(text: string): LetterState {
  const state = LETTER_STATES.find((one) => one === text);
  if (state) return state;
  throw new InvalidArgumentError(`must be one of ${LETTER_STATES.join(', ')}`);
}

export function filterOf(flags: FilterFlags, prefix: string): DeadLetterFilter {
  const { order: orderId, code, source, since, until, limit } = flags;
  const topic = flags.topic && topicNames(prefix)[flags.topic];
  return { code, orderId, source, topic, since, until, limit };
}

/**
 * The dead letters a decision is about: those named, or the open ones a filter chooses, as they stood on their topics.
 * @throws OmsError OMS_CLI_USAGE for neither or both; OMS_DLQ_UNKNOWN
 */
export async function chosenLetters(
  db: Database,
  ids: readonly string[],
  flags: FilterFlags,
  prefix: string,
): Promise<StoredDeadLetter[]> {
  const { limit, ...conditions } = filterOf(flags, prefix);
  const isFiltered = Object.values(conditions).some((condition) => condition !== undefined);
  if (ids.length > 0 === isFiltered)
    throw new OmsError(
      'OMS_CLI_USAGE',
      'give ids of dead letters, or a filter such as --code, --order, --topic or --since',
    );
  if (ids.length > 0) return Promise.all(ids.map((id) => findLetter(db, id)));
  const { listDeadLetters } = await import('../../database/dead-letters.ts');
  return listDeadLetters(db, { ...conditions, limit, state: 'open', by: 'place' });
}

/** How the letters of a decision are chosen by a filter. */
export const DECIDED = { limit: 1_000, order: 'as they stood on their topics' };

export const NONE_CHOSEN = 'No open dead letter is chosen by this.';

/** Said where a filter chose as many as it may: there may be more. */
export const restText = (ids: readonly string[], { limit }: FilterFlags, chosen: number): string =>
  ids.length === 0 && chosen === limit ? `\nNo more than ${limit} at once (--limit): repeat it for the rest.` : '';
