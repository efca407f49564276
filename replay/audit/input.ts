import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import { lookUp } from '../../database/ledger.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import { deadLetterId } from '../../ingest/dead-letters.ts';
import { decodeRecords } from '../../ingest/decode.ts';
import type { IncomingEvent, PoisonMessage } from '../../ingest/event.ts';
import { judge, orderViews } from '../../ingest/judge.ts';
import { findKnown } from '../../ingest/known-records.ts';
import { storedRecord } from '../../ingest/record.ts';
import type { Codec } from '../../kafka/codec.ts';
import type { ConsumedRecord } from '../../kafka/consumer.ts';
import type { Difference } from './difference.ts';

/**
 * Topic `orders` ↔ ledger: every committed record is done with, parked or a dead letter. Judged by the same functions as
 * a fresh record, without any effect.
 * @throws OmsError OMS_REGISTRY_UNAVAILABLE, OMS_DATABASE_UNAVAILABLE (retryable)
 */
export async function auditInput(
  options: { db: Database; codec: Codec },
  records: readonly ConsumedRecord[],
): Promise<Difference[]> {
  const [first] = records;
  if (!first) return [];
  const isKnown = await findKnown(options.db, records);
  const fresh = records.filter((record) => !isKnown(record));
  const decoded = await decodeRecords(options.codec, first.topic, fresh);
  const events = decoded.filter((one) => one.kind !== 'poison');
  const viewOf = orderViews(await lookUp(options.db, events));
  const open = decoded.filter(
    (one) => one.kind === 'poison' || judge(one, viewOf(one.orderId)).outcome !== 'duplicate',
  );
  const { ids, cameTooSoon } = await lettersAmong(options.db, open);
  const isLetter = ({ record }: Open): boolean => ids.has(deadLetterId(storedRecord(record)));
  // Repeats of an event that waited in vain: it became the dead letter, and the ledger forgot the order.
  const isRepeat = (one: Open): boolean => one.kind === 'lifecycle' && cameTooSoon.has(one.orderId);
  return open.filter((one) => !isLetter(one) && !isRepeat(one)).map(lost);
}

type Open = IncomingEvent | PoisonMessage;

/** Ids of dead letters among these, and orders of whose events one was refused because the order never came. */
async function lettersAmong(
  db: Database,
  open: readonly Open[],
): Promise<{ ids: Set<string>; cameTooSoon: Set<string> }> {
  const found = { ids: new Set<string>(), cameTooSoon: new Set<string>() };
  if (open.length === 0) return found;
  const ids = open.map(({ record }) => deadLetterId(storedRecord(record)));
  const orderIds = open.flatMap((one) => (one.kind === 'lifecycle' ? [one.orderId] : []));
  const { rows } = await sql<{ id: string; orderId: string | null; code: string }>`
    select id, order_id as "orderId", code from dead_letters
    where id = any(${ids}::text[])
      or (order_id = any(${orderIds}::text[]) and code = ${'OMS_INGEST_ORDER_NEVER_CAME' satisfies ErrorCode})
  `.execute(db);
  for (const { id, orderId, code } of rows) {
    found.ids.add(id);
    if (orderId !== null && code === 'OMS_INGEST_ORDER_NEVER_CAME') found.cameTooSoon.add(orderId);
  }
  return found;
}

function lost(one: Open): Difference {
  const { topic, partition, offset } = one.record;
  const what = one.kind === 'poison' ? `cannot be read (${one.error.code})` : `is ${one.type} ${one.eventId}`;
  const detail = `${what}; it was committed, and neither ledger, parking nor dead letters know it`;
  const subject = `${topic} ${partition}:${offset}`;
  return { part: 'input', code: 'OMS_AUDIT_INPUT_LOST', orderId: one.orderId, subject, detail, remedy: null };
}
