import type { IHeaders } from 'kafkajs';
import type { LifecycleRecord } from '../database/parked-events.ts';
import type { StoredRecord } from '../database/records.ts';
import type { ConsumedRecord } from '../kafka/consumer.ts';
import type { LifecycleEvent } from './event.ts';

/** A consumed record as the database keeps it. */
export function storedRecord(record: ConsumedRecord): StoredRecord {
  const { topic, partition, key, value, timestamp: time } = record;
  return { topic, partition, offset: Number(record.offset), time, key, value, headers: storedHeaders(record.headers) };
}

function storedHeaders(headers: IHeaders): Record<string, Buffer[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, (Array.isArray(value) ? value : [value]).map(bytes)]),
  );
}

/** kafkajs gives a header without a value as null or undefined, whatever its type says. */
function bytes(value: Buffer | string | null | undefined): Buffer {
  return typeof value === 'string' ? Buffer.from(value) : (value ?? Buffer.alloc(0));
}

/** A lifecycle event with the record it came in, as it is parked and handed over. */
export function lifecycleRecord(event: LifecycleEvent): LifecycleRecord {
  const { orderId, eventId, message, contentHash, source, sequence } = event;
  return { orderId, eventId, message, contentHash, source, sequence, record: storedRecord(event.record) };
}
