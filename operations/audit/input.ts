import type { Database } from '../../database/database.ts';
import { deadLetterId } from '../../database/dead-letters.ts';
import { lookUp } from '../../database/ledger/ledger.ts';
import { storedRecord } from '../../database/ledger/records.ts';
import { refusedRecords } from '../../database/read/dead-letters.ts';
import type { RefusableRecord } from '../../database/read/dead-letters.ts';
import type { Codec } from '../../kafka/codec/codec.ts';
import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';
import { findKnown, judge, orderViews } from '../../orders/intake/judge.ts';
import { decodeRecords } from '../../orders/intake/order-event.ts';
import type { IncomingEvent, PoisonMessage } from '../../orders/intake/order-event.ts';
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
  const refused = await refusedRecords(options.db, open.map(refusable));
  return open.filter((_, position) => !refused.has(position)).map(lost);
}

type Open = IncomingEvent | PoisonMessage;

const refusable = (one: Open): RefusableRecord => ({
  deadLetterId: deadLetterId(storedRecord(one.record)),
  waitsFor: one.kind === 'lifecycle' ? one.orderId : null,
});

function lost(one: Open): Difference {
  const { topic, partition, offset } = one.record;
  const what = one.kind === 'poison' ? `cannot be read (${one.error.code})` : `is ${one.type} ${one.eventId}`;
  const detail = `${what}; it was committed, and neither ledger, parking nor dead letters know it`;
  const subject = `${topic} ${partition}:${offset}`;
  return { part: 'input', code: 'OMS_AUDIT_INPUT_LOST', orderId: one.orderId, subject, detail, remedy: null };
}
