import type { Codec } from '../../kafka/codec/codec.ts';
import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';
import { DLQ_HEADERS } from '../../kafka/headers.ts';
import { readTopics as readRecords } from '../../kafka/reader/read-topics.ts';
import type { ReadOptions } from '../../kafka/reader/read-topics.ts';
import type { TopicNames } from '../../kafka/topics.ts';

/** A record as it is shown: decoded, or with the reason why it does not decode. */
export interface ShownRecord {
  topic: string;
  partition: number;
  offset: string;
  key: string | null;
  /** ISO 8601 */
  time: string;
  headers: Record<string, string>;
  value?: unknown;
  undecoded?: { code: string; reason: string };
}

/** Decodes records of one topic; a dead letter is read as what it was refused as. */
export async function showRecords(
  codec: Codec,
  topics: TopicNames,
  records: readonly TopicRecord[],
): Promise<ShownRecord[]> {
  const [first] = records;
  if (!first) return [];
  const readAs = first.topic === topics['orders.dlq'] ? topics.orders : first.topic;
  const decoded = await codec.decodeBatch(
    readAs,
    records.map(({ value }) => value),
  );
  return records.map((record, i) => {
    const result = decoded[i];
    const content =
      result?.kind === 'event'
        ? { value: result.value }
        : { undecoded: { code: result?.error.code ?? '', reason: result?.error.message ?? '' } };
    return { ...placeOf(record), ...content };
  });
}

function placeOf({ topic, partition, offset, key, timestamp, headers }: TopicRecord) {
  const time = new Date(timestamp).toISOString();
  return { topic, partition, offset: String(offset), key: key?.toString() ?? null, time, headers };
}

/** One line for people: where, when, whose, what. */
export function recordLine(record: ShownRecord): string {
  const { topic, partition, offset, key, time, headers, value, undecoded } = record;
  const reason = headers[DLQ_HEADERS.errorCode];
  const content = undecoded ? `(${undecoded.code}: ${undecoded.reason})` : JSON.stringify(value);
  return `${time} ${topic} ${partition}:${offset} ${key ?? '(no key)'} ${reason ? `${reason} ` : ''}${content}`;
}

/** A record as it stands on its topic, its headers as text. */
export interface TopicRecord {
  topic: string;
  partition: number;
  offset: bigint;
  key: Buffer | null;
  value: Buffer | null;
  /** ms since the epoch */
  timestamp: number;
  headers: Record<string, string>;
}

/** `readTopics` of kafka/, for people and their eyes. */
export function readTopics({ onRecords, ...options }: ReadOptions<TopicRecord>): Promise<void> {
  return readRecords({ ...options, onRecords: (records) => onRecords(records.map(shown)) });
}

function shown({ headers, ...record }: ConsumedRecord): TopicRecord {
  const texts = Object.entries(headers).map(([name, value]) => [name, headerOf(value)]);
  return { ...record, headers: Object.fromEntries(texts) as Record<string, string> };
}

type HeaderValue = string | Buffer | (string | Buffer)[] | undefined;

const headerOf = (value: HeaderValue): string =>
  Array.isArray(value) ? value.map(headerOf).join(', ') : (value?.toString() ?? '');
