import type { Database } from '../../database/database.ts';
import { ledgerStates } from '../../database/ledger/ledger.ts';
import type { ParkedNews } from '../../database/ledger/parked-carrier-news.ts';
import { storedRecord } from '../../database/ledger/records.ts';
import { CARRIER_STATUSES, isCarrierStatus } from '../../domain/carrier-status.ts';
import type { CarrierUpdate } from '../../domain/carrier-status.ts';
import { faultError, isOmsError } from '../../domain/errors.ts';
import type { OmsError } from '../../domain/errors.ts';
import { isShipmentId } from '../../domain/ids.ts';
import { MAX_EVENT_ID_CHARACTERS, MAX_SOURCE_CHARACTERS } from '../../domain/order.ts';
import { check, identifier, optional, text, time } from '../../domain/rules.ts';
import type { Rule } from '../../domain/rules.ts';
import type { Codec } from '../../kafka/codec/codec.ts';
import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';
import type { CarrierUpdate as CarrierUpdateRecord } from '../../schemas/index.ts';
import { previewCarrierUpdates } from '../steps/carrier-updates.ts';
import type { AppliedUpdate } from '../steps/carrier-updates.ts';
import { assertKey, readValue } from './validate.ts';

const updateId = identifier(MAX_EVENT_ID_CHARACTERS);

const carrierName = optional(identifier(MAX_SOURCE_CHARACTERS));

/** `<orderId>:<n>`, split at the last colon. */
const shipmentId: Rule<string> = {
  holds: isShipmentId,
  rule: 'must be a shipment id, <order id>:<n>',
};

const status: Rule<unknown> = {
  holds: isCarrierStatus,
  rule: `must be one of ${CARRIER_STATUSES.join(', ')}`,
};

/** Keeps what an adapter sends to its contract. @throws OmsError OMS_INGEST_FIELD_INVALID */
export function checkNews(news: CarrierUpdate): void {
  check(() => 'updateId', news.updateId, updateId);
  check(() => 'shipmentId', news.shipmentId, shipmentId);
  check(() => 'status', news.status, status);
  check(() => 'occurredAt', news.at, time);
  check(() => 'carrier', news.carrier, carrierName);
  check(() => 'trackingNumber', news.trackingNumber, carrierName);
  check(() => 'detail', news.detail, text);
}

/** A record of the topic as news. @throws OmsError OMS_INGEST_FIELD_INVALID */
export function toNews({ occurredAt: at, status, ...rest }: CarrierUpdateRecord): CarrierUpdate {
  if (status === 'Unknown') {
    const rule = `must be one of ${CARRIER_STATUSES.join(', ')}; a newer schema may know more than this version`;
    throw faultError('OMS_INGEST_FIELD_INVALID', { field: 'status', value: status, rule });
  }
  const news = { ...rest, status, at };
  checkNews(news);
  return news;
}

/**
 * What became of one piece of news. `parked` waits in the database. `failed`, for a reason of its own, and `away`, because
 * the database or Temporal is, are not done: it has to be delivered again.
 */
export type NewsOutcome =
  'applied' | 'repeated' | 'late' | 'parked' | 'unknown' | 'refused' | 'invalid' | 'poison' | 'failed' | 'away';

/** What applying news came to; null when no worker has taken the order yet. */
export async function ifTaken(applying: Promise<AppliedUpdate[]>): Promise<AppliedUpdate[] | null> {
  try {
    return await applying;
  } catch (error) {
    if (isOmsError(error) && error.code === 'OMS_ORDER_UNKNOWN') return null;
    throw error;
  }
}

/** What becomes of one order's news, by what applying it came to. `parked` is yet to be done. */
export async function outcomesOf(
  db: Database,
  orderId: string,
  news: readonly CarrierUpdate[],
  updates: readonly AppliedUpdate[] | null,
): Promise<NewsOutcome[]> {
  if (updates) return updates.map(outcomeOf);
  const outcome = (await isExpected(db, orderId)) ? 'parked' : 'unknown';
  return news.map(() => outcome);
}

/**
 * What would become of one order's news, in the order given, by the same decisions; nothing is changed by it.
 * @throws whatever applying throws
 */
export async function previewNews(
  db: Database,
  orderId: string,
  news: readonly CarrierUpdate[],
): Promise<NewsOutcome[]> {
  return outcomesOf(db, orderId, news, await ifTaken(previewCarrierUpdates(db, orderId, news)));
}

function outcomeOf({ applied, late, shipmentStatus, mayCome }: AppliedUpdate): NewsOutcome {
  if (shipmentStatus === null) return mayCome ? 'parked' : 'unknown';
  if (applied) return 'applied';
  return late ? 'late' : 'repeated';
}

/** An order the ledger knows, or awaits, may have this shipment soon; of an order never seen nothing is to be expected. */
async function isExpected(db: Database, orderId: string): Promise<boolean> {
  const state = (await ledgerStates(db, [orderId])).get(orderId);
  return state !== undefined && state !== 'closed';
}

/** News that keeps to the contract, and the record it came in, if it came in one. */
export type GivenNews = ParkedNews;

/** A record of the topic, read: news, or why it is none. */
export type Read =
  | { record: ConsumedRecord; given: GivenNews; error: null }
  | { record: ConsumedRecord; given: null; error: OmsError; value: CarrierUpdateRecord | undefined };

/** A record of the topic as news, or why it is none. Its schema has been fetched before. */
export function readUpdate(codec: Codec, record: ConsumedRecord): Read {
  const read = readValue<CarrierUpdateRecord>(codec, record.topic, record.value);
  if (read.error) return refused(record, read.error);
  try {
    const news = toNews(read.event);
    assertKey(record.key, news.shipmentId, 'the shipment id');
    return { record, given: { news, record: storedRecord(record) }, error: null };
  } catch (error) {
    if (!isOmsError(error)) throw error;
    return refused(record, error, read.event);
  }
}

const refused = (record: ConsumedRecord, error: OmsError, value?: CarrierUpdateRecord): Read => ({
  ...{ record, given: null, error, value },
});
