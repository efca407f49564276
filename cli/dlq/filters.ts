import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { LETTER_STATES } from '../../database/dead-letters.ts';
import type { LetterState } from '../../database/dead-letters.ts';
import { ERRORS } from '../../domain/errors.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import { INPUT_TOPICS } from '../../kafka/topics.ts';
import type { LetterFilter } from '../../operations/dead-letters/decide.ts';
import { countOption, timeOption } from '../options.ts';

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

/** How the letters of a decision are chosen by a filter. */
export const DECIDED = { limit: 1_000, order: 'as they stood on their topics' };

export const NONE_CHOSEN = 'No open dead letter is chosen by this.';

/** Said where a filter chose as many as it may: there may be more. */
export const restText = (ids: readonly string[], { limit }: LetterFilter, chosen: number): string =>
  ids.length === 0 && chosen === limit ? `\nNo more than ${limit} at once (--limit): repeat it for the rest.` : '';
