import { randomUUID } from 'node:crypto';
import type { Admin, Kafka } from 'kafkajs';
import type { Codec } from '../../kafka/codec/codec.ts';
import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';
import { readTopics as readRecords } from '../../kafka/reader/read-topics.ts';
import type { ReadOptions } from '../../kafka/reader/read-topics.ts';
import { groupName, topicNames } from '../../kafka/topics.ts';
import type { TopicNames } from '../../kafka/topics.ts';

export interface TailParts {
  kafka: Kafka;
  /** Connected. */
  admin: Admin;
  codec: Codec;
  prefix: string;
}

export interface TailRequest {
  /** With prefix. */
  topics: readonly string[];
  /** Also what is there already. */
  fromBeginning: boolean;
  /** Go on past what is there now, until `signal`. */
  follow: boolean;
  /** End after so many records. @default all */
  max?: number;
  /** Only records with this key. */
  order?: string;
  signal: AbortSignal;
}

/**
 * Reads the topics and hands over their records, decoded, until there are enough, the end is reached, or it is stopped.
 * Nothing is committed: whoever reads these topics is not disturbed.
 */
export async function tailTopics(
  { kafka, admin, codec, prefix }: TailParts,
  { topics, fromBeginning, follow, max = Infinity, order, signal }: TailRequest,
  onRecord: (record: ShownRecord) => void,
): Promise<void> {
  let left = max;
  await readTopics({
    ...{ kafka, admin, topics, fromBeginning, follow, signal },
    groupId: groupName(prefix, `tail-${randomUUID()}`),
    onRecords: async (records) => {
      const wanted = order ? records.filter(({ key }) => key?.toString() === order) : records;
      const shown = await showRecords(codec, topicNames(prefix), wanted.slice(0, left));
      shown.forEach(onRecord);
      left -= shown.length;
      return left > 0;
    },
  });
}

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
async function showRecords(codec: Codec, topics: TopicNames, records: readonly TopicRecord[]): Promise<ShownRecord[]> {
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
