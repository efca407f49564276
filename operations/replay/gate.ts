import { orUnavailable } from '../../database/database.ts';
import type { Database } from '../../database/database.ts';
import { deadLetterId, sentDeadLetters } from '../../database/dead-letters.ts';
import type { DeadLetter } from '../../database/dead-letters.ts';
import { storedRecord } from '../../database/ledger/records.ts';
import type { Tallies } from '../../database/replays/replay-parts.ts';
import type { ReplayOptions } from '../../database/replays/replays.ts';
import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';
import type { Publisher } from '../../kafka/producer/publisher.ts';
import { groupName, topicNames } from '../../kafka/topics.ts';
import type { OnStep } from '../../orders/intake/step.ts';
import { createDeadLetterOffice } from '../../outbox/dead-letters.ts';
import type { DeadLetterOffice } from '../../outbox/dead-letters.ts';
import type { ReplayParts } from './parts.ts';
import type { OnWait } from './patience.ts';
import { count } from './track.ts';
import type { Begun } from './track.ts';

/** Brings records through the gate that the topic's live consumer uses, and tells what was done, by offset. */
export interface Gate {
  /**
   * Takes records of one partition in offset order, and notes in `done` what it did. May be given the same ones again at
   * any time, with the same `done` after a fault: what was done before it stays noted.
   * @throws OmsError, retryable, when the environment is away
   */
  take(records: readonly ConsumedRecord[], done: Done, signal: AbortSignal): Promise<void>;
  /**
   * What an outcome of the gate means for what the record, judged to be `is`, is about; undefined = nothing. `begunAs`:
   * what it was judged to be by a process that then died, and may have done it.
   */
  effectOf(outcome: string, is: string, begunAs: string | undefined): string | undefined;
}

export interface GateOptions {
  parts: ReplayParts;
  publisher: Publisher;
  options: ReplayOptions;
  onWait: OnWait;
  onStep: OnStep;
}

export interface Done {
  /** The gate's outcome of each record. */
  outcomes: Map<bigint, string>;
  /** Ids of the dead letters that were sent now. */
  letters: Set<string>;
}

/** Where a gate's dead letters go: the same topic and table as those of the live consumers. */
export function gateOffice({ parts: { config, db }, publisher, onStep }: GateOptions): DeadLetterOffice {
  return createDeadLetterOffice({
    ...{ db, publisher, onStep },
    topic: topicNames(config.OMS_PREFIX)['orders.dlq'],
    consumerGroup: groupName(config.OMS_PREFIX, 'replay'),
  });
}

export const nothingDone = (): Done => ({ outcomes: new Map(), letters: new Set() });

export function noteLetters(done: Done, letters: readonly DeadLetter[]): void {
  for (const { id } of letters) done.letters.add(id);
}

/** A record that is about to be handed to a gate. */
export interface Handed {
  record: ConsumedRecord;
  is: string;
  begun: Begun | undefined;
  letterId: string;
  /** Its dead letter was out before anything was done about it here. */
  hadLetter: boolean;
}

/** Makes records ready to be handed over. @throws OmsError OMS_DATABASE_UNAVAILABLE */
export async function readyToHand(
  db: Database,
  records: readonly Pick<Handed, 'record' | 'is' | 'begun'>[],
): Promise<Handed[]> {
  const named = records.map((one) => ({ ...one, letterId: deadLetterId(storedRecord(one.record)) }));
  const sent = await sentLetters(
    db,
    named.filter(({ begun }) => !begun),
  );
  return named.map((one) => ({ ...one, hadLetter: one.begun?.hadLetter ?? sent.has(one.letterId) }));
}

const sentLetters = (db: Database, records: readonly Pick<Handed, 'letterId'>[]): Promise<Set<string>> =>
  orUnavailable(
    sentDeadLetters(
      db,
      records.map(({ letterId }) => letterId),
    ),
  );

/**
 * What was done with the records, also before a crash or a lost answer: a dead letter that is out now and was not before
 * counts, whoever can still tell of it.
 */
export async function effectsOf(
  db: Database,
  gate: Pick<Gate, 'effectOf'>,
  { outcomes, letters }: Done,
  handed: readonly Handed[],
): Promise<Tallies> {
  const effectOf = ({ record, is, begun }: Handed): string | undefined => {
    const outcome = outcomes.get(record.offset);
    return outcome === undefined ? undefined : gate.effectOf(outcome, is, begun?.is);
  };
  const untold = handed.filter(
    (one) => !one.hadLetter && !letters.has(one.letterId) && (one.begun ?? effectOf(one) === undefined),
  );
  const before = await sentLetters(db, untold);
  const effects: Tallies = {};
  for (const one of handed) {
    const effect = before.has(one.letterId) ? undefined : effectOf(one);
    if (effect) count(effects, effect);
  }
  const deadLettered = letters.size + before.size;
  if (deadLettered > 0) count(effects, 'deadLettered', deadLettered);
  return effects;
}
