import { databaseError } from '../database/database.ts';
import type { Database } from '../database/database.ts';
import { deadLetterId, intendDeadLetters, markDeadLettersSent } from '../database/dead-letters.ts';
import type { DeadLetter } from '../database/dead-letters.ts';
import { readDeploymentId } from '../database/deployment/deployment.ts';
import type { StoredRecord } from '../database/ledger/records.ts';
import { OmsError } from '../domain/errors.ts';
import { DLQ_HEADERS, deadLetterHeaders, headerText } from '../kafka/headers.ts';
import type { OutgoingRecord } from '../kafka/producer/outgoing-record.ts';
import type { Publisher } from '../kafka/producer/publisher.ts';
import type { Delivery } from '../orders/intake/deliver.ts';
import type { OnStep } from '../orders/intake/step.ts';

/** Sends what ingest could not take to the dead letter topic, each dead letter once as far as Kafka allows. */
export interface DeadLetterOffice {
  /**
   * Resolves when all are written down, acknowledged by the topic and marked so. One that was sent before is not sent
   * again. Returns those that were sent now.
   * @throws OmsError (retryable) when the topic or the database cannot be written: nothing may be committed then
   */
  send(letters: readonly DeadLetter[]): Promise<DeadLetter[]>;
}

export interface DeadLetterOfficeOptions {
  db: Database;
  publisher: Pick<Publisher, 'publish'>;
  /** The dead letter topic, with the deployment's prefix. */
  topic: string;
  consumerGroup: string;
  onStep: OnStep;
}

export function createDeadLetterOffice(options: DeadLetterOfficeOptions): DeadLetterOffice {
  const { db, publisher, topic, consumerGroup, onStep } = options;
  const publish = async (letters: readonly DeadLetter[]): Promise<void> => {
    const sender = { consumerGroup, deployment: await readDeploymentId(db) };
    const records = letters.map((letter) => ({ ...outgoing(letter, topic, sender), letterId: letter.id }));
    const { sent, held } = await publisher.publish(records);
    await onStep('deadLettersSent');
    await markDeadLettersSent(
      db,
      sent.map(({ record }) => record.letterId),
    );
    if (held[0]) throw unwritable(topic, held[0].error);
  };
  return {
    send: async (letters) => {
      if (letters.length === 0) return [];
      try {
        const unsent = await intendDeadLetters(db, letters);
        await onStep('deadLettersIntended');
        const open = onePerId(letters).filter((letter) => unsent.has(letter.id));
        if (open.length > 0) await publish(open);
        await onStep('deadLettersMarked');
        return open;
      } catch (error) {
        throw databaseError(error);
      }
    },
  };
}

function onePerId(letters: readonly DeadLetter[]): DeadLetter[] {
  return [...new Map(letters.map((letter) => [letter.id, letter])).values()];
}

/** A dead letter topic that refuses a record for good is set up wrongly: that is the environment's fault, not the record's. */
function unwritable(topic: string, error: OmsError): OmsError {
  if (error.retryable) return error;
  return new OmsError('OMS_KAFKA_SEND_REJECTED', `${topic} does not take a dead letter: ${error.message}`, {
    cause: error,
  });
}

/** Who refuses a record. */
interface Sender {
  consumerGroup: string;
  deployment: string | undefined;
}

/** The record as it came, byte for byte, behind headers that say what was wrong with it and where it stood. */
function outgoing(letter: DeadLetter, topic: string, { consumerGroup, deployment }: Sender): OutgoingRecord {
  const { record, fault } = letter;
  const headers = deadLetterHeaders(record.headers, {
    id: letter.id,
    originalTopic: record.topic,
    originalPartition: record.partition,
    originalOffset: record.offset,
    originalTimestamp: record.time,
    consumerGroup,
    ...(deployment === undefined ? {} : { deployment }),
    errorCode: letter.code,
    errorMessage: letter.message,
    ...(fault ? { errorField: fault.field, errorValue: fault.value, errorRule: fault.rule } : {}),
    ...(letter.orderId === null ? {} : { orderId: letter.orderId }),
    ...(letter.source === null ? {} : { source: letter.source }),
    ...(letter.attempt ? { attempt: letter.attempt } : {}),
  });
  return { topic, key: record.key, value: record.value, headers };
}

export interface Refusal {
  error: OmsError;
  orderId: string | null;
  source: string | null;
  record: StoredRecord;
}

export function deadLetter({ error, orderId, source, record }: Refusal): DeadLetter {
  const { code, message, fault = null } = error;
  return { id: deadLetterId(record), code, message, fault, orderId, source, record, attempt: attemptOf(record) };
}

/** How often the record was put back on its topic before, by its own header; 0 for one that came from upstream. */
function attemptOf({ headers }: StoredRecord): number {
  const attempt = Number(headerText(headers, DLQ_HEADERS.attempt));
  return Number.isSafeInteger(attempt) && attempt > 0 ? Math.min(attempt, MAX_ATTEMPT) : 0;
}

/** Whatever a header says, the count fits its column. */
const MAX_ATTEMPT = 1_000_000;

/** The dead letters of events that no run took. */
export function undeliveredLetters(delivery: Delivery): DeadLetter[] {
  return delivery.undelivered.flatMap(({ event, error }) =>
    error ? [deadLetter({ error, orderId: event.orderId, source: event.source, record: event.record })] : [],
  );
}
