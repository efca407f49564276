import { databaseError } from '../../database/database.ts';
import type { Database } from '../../database/database.ts';
import { knownContents } from '../../database/ledger/ledger.ts';
import { isOrderId } from '../../domain/ids.ts';
import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';
import { placedHash } from '../../orders/intake/content.ts';

/**
 * Which records say, byte for byte, what an event that is done with said. The key stands for the order id: they were
 * equal when the event was taken, and it is part of the bytes.
 * @throws OmsError OMS_DATABASE_UNAVAILABLE (retryable)
 */
export async function findKnown(
  db: Database,
  records: readonly ConsumedRecord[],
): Promise<(record: ConsumedRecord) => boolean> {
  const candidates = records.flatMap((record) => candidateOf(record) ?? []);
  try {
    const positions = await knownContents(db, candidates);
    const known = new Set(candidates.filter((_, i) => positions.has(i)).map(({ offset }) => offset));
    return ({ offset }) => known.has(offset);
  } catch (error) {
    throw databaseError(error);
  }
}

function candidateOf({ key, value, offset }: ConsumedRecord) {
  const orderId = key?.toString('latin1');
  return value && isOrderId(orderId) ? { orderId, offset, contentHash: placedHash(value) } : undefined;
}
