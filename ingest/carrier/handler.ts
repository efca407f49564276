import { databaseError } from '../../database/database.ts';
import type { Database } from '../../database/database.ts';
import type { DeadLetter } from '../../database/dead-letters.ts';
import { parkCarrierNews } from '../../database/ledger/parked-carrier-news.ts';
import { storedRecord } from '../../database/ledger/records.ts';
import type { StoredRecord } from '../../database/ledger/records.ts';
import type { CarrierUpdate } from '../../domain/carrier-status.ts';
import { OmsError, faultError, isOmsError } from '../../domain/errors.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import { isOrderId, orderIdOf } from '../../domain/ids.ts';
import type { Codec } from '../../kafka/codec/codec.ts';
import type { Chunk } from '../../kafka/consumer/consumer.ts';
import { readUpdate } from '../../orders/intake/carrier-news.ts';
import type { GivenNews, NewsOutcome, Read } from '../../orders/intake/carrier-news.ts';
import { deadLetter } from '../../outbox/dead-letters.ts';
import type { DeadLetterOffice } from '../../outbox/dead-letters.ts';
import type { CountNews } from './metrics.ts';
import type { CarrierReceiver } from './receiver.ts';

export interface CarrierTopicOptions {
  db: Database;
  codec: Codec;
  receiver: CarrierReceiver;
  office: DeadLetterOffice;
  count: CountNews;
  /** Told of the dead letters that were sent. */
  onDeadLetters: (sent: readonly DeadLetter[]) => void;
  parkingDeadlineMs: number;
}

/**
 * The way of a chunk of the topic `carrier-updates`: decode, take in, dead letters, finish. News that fails for a reason
 * of its own is parked, so that it holds up nobody else's; while a part is away all of it waits.
 * @throws OmsError, retryable, when the environment is away: what could be done is finished, the rest is to be given again
 */
export function createCarrierTopic(options: CarrierTopicOptions): (chunk: Chunk) => Promise<void> {
  const { db, codec, receiver, office, count } = options;
  return async (chunk) => {
    await codec.prefetch(chunk.records.map(({ value }) => value));
    const read = chunk.records.map((record) => readUpdate(codec, record));
    const readable = read.filter((one) => one.given !== null);
    const outcomes = await receiver.take(
      readable.map(({ given }) => given),
      'topic',
    );
    const outcomeOf = new Map(readable.map((one, i) => [one, outcomes[i] ?? 'away']));
    const having = (wanted: NewsOutcome): GivenNews[] =>
      readable.flatMap((one) => (outcomeOf.get(one) === wanted ? [one.given] : []));
    await parkFailed(db, having('failed'), options.parkingDeadlineMs);
    const letters = [...read.flatMap(poisonLetter), ...having('unknown').flatMap((one) => newsLetter(one, unknown))];
    options.onDeadLetters(await office.send(letters));
    for (const one of read) {
      if (one.given === null) count('topic', 'poison');
      if (one.given === null || outcomeOf.get(one) !== 'away') chunk.finished(one.record.offset);
    }
    if (having('away').length > 0) throw awayError(receiver.failure());
  };
}

async function parkFailed(db: Database, failed: readonly GivenNews[], deadlineMs: number): Promise<void> {
  try {
    await parkCarrierNews(db, failed, deadlineMs);
  } catch (error) {
    throw databaseError(error);
  }
}

function poisonLetter(read: Read): DeadLetter[] {
  if (read.given) return [];
  const { record, error, value } = read;
  const shipmentId = value?.shipmentId ?? record.key?.toString('utf8') ?? '';
  const source = value?.carrier?.slice(0, 100) ?? null;
  return [deadLetter({ error, orderId: orderIdIn(shipmentId), source, record: storedRecord(record) })];
}

function orderIdIn(shipmentId: string): string | null {
  const orderId = orderIdOf(shipmentId);
  return isOrderId(orderId) ? orderId : null;
}

/** The dead letter of readable news; none when it came by push, and so has no record. */
export function newsLetter(
  { news, record }: { news: CarrierUpdate; record: StoredRecord | null },
  why: (news: CarrierUpdate) => OmsError,
): DeadLetter[] {
  const source = news.carrier?.slice(0, 100) ?? null;
  return record ? [deadLetter({ error: why(news), orderId: orderIdOf(news.shipmentId), source, record })] : [];
}

const refusal =
  (code: ErrorCode, rule: string) =>
  ({ shipmentId: value }: CarrierUpdate): OmsError =>
    faultError(code, { field: 'shipmentId', value, rule });

export const unknown = refusal('OMS_INGEST_SHIPMENT_UNKNOWN', 'must be a shipment the OMS has, or is about to have');
export const neverCame = refusal('OMS_INGEST_SHIPMENT_UNKNOWN', 'must be there before the deadline of its news');
export const neverTaken = refusal('OMS_INGEST_UPDATE_FAILED', 'must be in a state that its news can be applied to');

/** Only what may pass makes news wait: anything else is `failed`. */
function awayError(failure: unknown): OmsError {
  if (isOmsError(failure) && failure.retryable) return failure;
  return new OmsError('OMS_DATABASE_UNAVAILABLE', 'a part was away for a moment', { cause: failure });
}
