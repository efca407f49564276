import type { StoredDeadLetter } from '../../database/dead-letters.ts';
import { DLQ_HEADERS } from '../../kafka/headers.ts';
import type { OutgoingRecord } from '../../kafka/producer/publisher.ts';

/**
 * The record of a dead letter as it goes on its topic once more: as it came, with the number of this attempt and the
 * letter it was. Its time is that of now: it is read now, and must be kept as long as any other.
 */
export function redrivenRecord({ id, record }: StoredDeadLetter, detail: Record<string, unknown>): OutgoingRecord {
  const replacement = detail['replacement'] as { key: string; value: string } | undefined;
  const headers = {
    ...record.headers,
    [DLQ_HEADERS.id]: id,
    [DLQ_HEADERS.attempt]: String(detail['attempt']),
  };
  return {
    topic: record.topic,
    key: replacement ? replacement.key : record.key,
    value: replacement ? Buffer.from(replacement.value, 'base64') : record.value,
    headers,
  };
}
