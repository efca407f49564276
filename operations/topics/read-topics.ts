import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';
import { readTopics as readRecords } from '../../kafka/reader/read-topics.ts';
import type { ReadOptions } from '../../kafka/reader/read-topics.ts';

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
