import type { Database } from '../../database/database.ts';
import { listDeadLetters } from '../../database/dead-letters.ts';
import type { DeadLetterFilter, StoredDeadLetter } from '../../database/dead-letters.ts';
import { OmsError, isOmsError } from '../../domain/errors.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import type { Codec } from '../../kafka/codec/codec.ts';
import { topicNames } from '../../kafka/topics.ts';
import type { InputTopic } from '../../kafka/topics.ts';
import { dropLetter, findLetter, redriveLetter } from './redrive.ts';
import type { RedriveOptions, RedriveRequest, Redriven } from './redrive.ts';
import { encodeReplacement, kindOfTopic, parseReplacement } from './replacement.ts';

/** Which dead letters are meant. */
export interface LetterFilter {
  code?: ErrorCode;
  order?: string;
  source?: string;
  /** Without prefix. */
  topic?: InputTopic;
  since?: Date;
  until?: Date;
  limit: number;
}

/** Those named by their ids, or how these begin; or, without ids, the open ones that the filter chooses. */
export interface LetterChoice {
  ids: readonly string[];
  filter: LetterFilter;
}

/** What it takes to put records back on their topics. */
export interface RedriveParts extends Pick<RedriveOptions, 'db' | 'publisher'> {
  prefix: string;
  /** @throws OmsError OMS_KAFKA_UNAVAILABLE, OMS_KAFKA_TOPIC_MISSING: before a decision is written down */
  assertTopics(topics: readonly string[]): Promise<void>;
}

/** A dead letter that a rule about decisions keeps from being decided about. */
export interface Skipped {
  id: string;
  outcome: 'skipped';
  code: string;
  message: string;
}

/** What came of one letter; `skipped` by a rule about decisions. */
export type Retried = Redriven | Skipped;
export type Dropped = { id: string; outcome: 'dropped' } | Skipped;

/**
 * Puts the chosen dead letters' records back on their topics, each as `redriveLetter` does, in the order they stood there.
 * Nothing is decided when one of the topics is not ours or cannot be written.
 * @throws OmsError OMS_CLI_USAGE, OMS_DLQ_UNKNOWN, OMS_DLQ_TOPIC_FOREIGN, or a retryable one: then call again
 */
export async function retryLetters(parts: RedriveParts, choice: LetterChoice, by: RedriveRequest): Promise<Retried[]> {
  const letters = await chosenLetters(parts.db, choice, parts.prefix);
  for (const { record } of letters) kindOfTopic(record.topic, parts.prefix);
  await parts.assertTopics(letters.map(({ record }) => record.topic));
  const retried: Retried[] = [];
  // One after the other: records of one order keep their order.
  for (const { id } of letters) retried.push(await redriveLetter(parts, id, by).catch((error) => skipped(id, error)));
  return retried;
}

/**
 * Puts a corrected record, given as JSON, on its topic in the place of the dead letter's.
 * @param readContent called when the letter is found
 * @throws OmsError naming field, value and rule; or what `redriveLetter` throws
 */
export async function editLetter(
  parts: RedriveParts & { codec: Codec },
  id: string,
  readContent: () => Promise<string>,
  by: RedriveRequest,
): Promise<Redriven> {
  const letter = await findLetter(parts.db, id);
  const { topic } = letter.record;
  const kind = kindOfTopic(topic, parts.prefix);
  const value = parseReplacement(await readContent(), kind);
  await parts.assertTopics([topic]);
  return redriveLetter(parts, letter.id, by, await encodeReplacement(parts, letter.record, value));
}

/**
 * Gives the chosen dead letters up; they stay where they are.
 * @throws OmsError OMS_CLI_USAGE, OMS_DLQ_UNKNOWN, or a retryable one: then call again
 */
export async function dropLetters(
  db: Database,
  prefix: string,
  choice: LetterChoice,
  by: RedriveRequest,
): Promise<Dropped[]> {
  const letters = await chosenLetters(db, choice, prefix);
  const drop = (id: string): Promise<Dropped> =>
    dropLetter(db, id, by).then(
      () => ({ id, outcome: 'dropped' }),
      (error: unknown) => skipped(id, error),
    );
  const dropped: Dropped[] = [];
  for (const { id } of letters) dropped.push(await drop(id));
  return dropped;
}

/** The filter in the database's words. */
export function storedFilter(filter: LetterFilter, prefix: string): DeadLetterFilter {
  const { order: orderId, code, source, since, until, limit } = filter;
  const topic = filter.topic && topicNames(prefix)[filter.topic];
  return { code, orderId, source, topic, since, until, limit };
}

async function chosenLetters(db: Database, { ids, filter }: LetterChoice, prefix: string): Promise<StoredDeadLetter[]> {
  const { limit, ...conditions } = storedFilter(filter, prefix);
  const isFiltered = Object.values(conditions).some((condition) => condition !== undefined);
  if (ids.length > 0 === isFiltered)
    throw new OmsError(
      'OMS_CLI_USAGE',
      'give ids of dead letters, or a filter such as --code, --order, --topic or --since',
    );
  if (ids.length > 0) return Promise.all(ids.map((id) => findLetter(db, id)));
  return listDeadLetters(db, { ...conditions, limit, state: 'open', by: 'place' });
}

/** A rule about one letter does not stop the others; a part that is away does. */
function skipped(id: string, error: unknown): Skipped {
  if (!isOmsError(error) || error.retryable) throw error;
  return { id, outcome: 'skipped', code: error.code, message: error.message };
}
