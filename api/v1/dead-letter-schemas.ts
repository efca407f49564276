import { z } from 'zod';
import { LETTER_STATES } from '../../database/dead-letters.ts';
import { ERRORS } from '../../domain/errors.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import { INPUT_TOPICS } from '../../kafka/topics.ts';
import { givenTime, identifier, orderId, paging, text, time } from './atoms.ts';

const code = z
  .enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]], 'must be an error code')
  .meta({ id: 'ErrorCode' });
const state = z.enum([...LETTER_STATES, 'decided'], `must be one of ${[...LETTER_STATES, 'decided'].join(', ')}`);

export const letterQuery = z
  .object({
    code: code.optional(),
    order: orderId.optional(),
    source: identifier(100).optional(),
    topic: z
      .enum(INPUT_TOPICS, `must be one of ${INPUT_TOPICS.join(', ')}`)
      .optional()
      .describe('Where its record stood; named without prefix.'),
    from: givenTime.optional().describe('Refused at this time or later.'),
    to: givenTime.optional().describe('Refused before this time.'),
    state: state.optional().describe('`open`: nobody has decided about it. `decided`: somebody has, in whatever way.'),
    minAttempt: z.coerce
      .number('must be a whole number')
      .int('must be a whole number')
      .min(0, 'must be 0 or more')
      .max(1_000_000, 'must be at most 1,000,000')
      .optional()
      .describe('Put back on its topic so often, or more often: with 1, those that were refused again.'),
    ...paging,
  })
  .strict();

const letterFields = {
  id: z.string(),
  code: z.string(),
  message: z.string(),
  fault: z.object({ field: z.string(), value: z.string(), rule: z.string() }).nullable(),
  orderId: z.string().nullable().describe('Where that could be read.'),
  source: z.string().nullable(),
  topic: z.string(),
  partition: z.int(),
  offset: z.int(),
  createdAt: time,
  sentAt: time.nullable().describe('When the dead letter topic acknowledged it.'),
  attempt: z.int().describe('How often its record had been put back on its topic when it was refused.'),
  decision: z.enum(['retried', 'edited', 'dropped']).nullable().describe('null: nobody has decided about it.'),
  decidedAt: time.nullable(),
};
export const deadLetter = z.object(letterFields).meta({ id: 'DeadLetter' });

const decision = z
  .object({
    action: z.string(),
    who: z.string(),
    why: z.string(),
    at: time,
    doneAt: time.nullable().describe('null: begun and not ended. The same request again ends it.'),
    outcome: z.unknown().describe('What came of it.'),
  })
  .meta({ id: 'Decision' });

export const wholeLetter = z
  .object({
    ...letterFields,
    key: z.string().nullable(),
    headers: z.record(z.string(), z.array(z.string())),
    bytes: z.int().describe('Of its value.'),
    value: z.unknown().describe('What its record says; null where it cannot be read.'),
    hex: z.string().nullable().describe('How a value that cannot be read begins.'),
    decisions: z.array(decision).describe('All that was decided about it, oldest first.'),
  })
  .meta({ id: 'WholeDeadLetter' });

export const letterId = z.object({ id: identifier(300) });

const by = {
  who: identifier(200).regex(/\S/, 'must say who').describe('Who decides; recorded.'),
  why: text.regex(/\S/, 'must say why').describe('Why; recorded.'),
  again: z.boolean().optional().describe('Decide once more about one that was decided about.'),
};
export const decisionRequest = z.object(by).strict().meta({ id: 'LetterDecision' });
export const editRequest = z
  .object({
    ...by,
    value: z
      .record(z.string(), z.unknown())
      .describe("The corrected record, all of it, in the form of the dead letter's `value`."),
  })
  .strict()
  .meta({ id: 'LetterEdit' });

export const redriven = z
  .object({
    id: z.string(),
    outcome: z
      .enum(['produced', 'refused'])
      .describe('`refused`: its topic does not take it as it is, and the dead letter stays open.'),
    attempt: z.int(),
    topic: z.string(),
    resumed: z.boolean().describe('It had been begun before and was ended now.'),
    partition: z.int().optional(),
    offset: z.int().optional(),
    code: z.string().optional(),
    message: z.string().optional(),
  })
  .meta({ id: 'Redriven' });
export const dropped = z.object({ id: z.string(), outcome: z.literal('dropped') }).meta({ id: 'Dropped' });
