import { isOmsError } from '../../domain/errors.ts';
import type { OmsError } from '../../domain/errors.ts';
import { isOrderId } from '../../domain/ids.ts';
import type { Codec } from '../../kafka/codec/codec.ts';
import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';
import type { OrderEvent } from '../../schemas/index.ts';
import { toIncomingEvent } from './convert.ts';
import type { IncomingEvent, PoisonMessage } from './event.ts';
import { assertKey, readValue } from './wire-faults.ts';

/**
 * Turns records of the orders topic into events or poison messages; never into nothing, and never by throwing for what
 * a record holds. The schemas the values name are fetched first, in one go.
 * @throws OmsError OMS_REGISTRY_UNAVAILABLE (retryable)
 */
export async function decodeRecords(
  codec: Codec,
  topic: string,
  records: readonly ConsumedRecord[],
): Promise<(IncomingEvent | PoisonMessage)[]> {
  await codec.prefetch(records.map((record) => record.value));
  return records.map((record) => decodeRecord(codec, topic, record));
}

function decodeRecord(codec: Codec, topic: string, record: ConsumedRecord): IncomingEvent | PoisonMessage {
  const read = readValue<OrderEvent>(codec, topic, record.value);
  if (read.error) return poison(record, read.error);
  try {
    const event = toIncomingEvent(read.event, record);
    assertKey(record.key, event.orderId, 'the order id');
    return event;
  } catch (error) {
    if (!isOmsError(error)) throw error;
    return poison(record, error, read.event);
  }
}

function poison(record: ConsumedRecord, error: OmsError, event?: OrderEvent): PoisonMessage {
  const orderId = isOrderId(event?.orderId) ? event.orderId : orderIdInKey(record.key);
  return { kind: 'poison', error, orderId, source: event?.source.slice(0, 100) ?? null, record };
}

/** A producer whose event cannot be read still finds it under the key it gave. */
function orderIdInKey(key: Buffer | null): string | null {
  const text = key?.toString('utf8');
  return isOrderId(text) ? text : null;
}
