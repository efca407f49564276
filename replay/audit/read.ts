import { randomUUID } from 'node:crypto';
import type { Admin, Kafka } from 'kafkajs';
import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import type { OutgoingTopic } from '../../database/outbox.ts';
import type { Codec } from '../../kafka/codec.ts';
import type { ConsumedRecord } from '../../kafka/consumer.ts';
import { readTopics } from '../../kafka/read-topics.ts';
import { groupName, topicNames } from '../../kafka/topics.ts';
import { auditInput } from './input.ts';
import { OUTGOING } from './outbox.ts';
import type { Difference } from './difference.ts';
import type { SeenRecords } from './seen.ts';
import type { KeptSince } from './topics.ts';

export interface TopicReadingOptions {
  db: Database;
  kafka: Kafka;
  admin: Admin;
  codec: Codec;
  prefix: string;
  /** Only records with these keys. */
  orderIds?: readonly string[];
  onFound: (differences: readonly Difference[]) => void;
  onRecords: (count: number) => void;
}

/** What reading the topics once told. */
export interface TopicReading {
  /** Database time before their ends were asked for. */
  readAt: Date;
  keptSince: KeptSince;
}

/** Reads topics once, to the end they have now; what single records tell is told at once. */
export async function readAuditedTopics(
  options: TopicReadingOptions,
  { seen, input }: { seen: SeenRecords | null; input: boolean },
): Promise<TopicReading> {
  const { db, kafka, admin, codec, prefix, orderIds } = options;
  const names = topicNames(prefix);
  const kindOf = new Map<string, OutgoingTopic>(OUTGOING.map((kind) => [names[kind], kind]));
  const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(db);
  const readAt = rows[0]?.now ?? new Date();
  const committed = input ? await committedOffsets(admin, prefix) : new Map<number, bigint>();
  const topics = [...(seen ? kindOf.keys() : []), ...(committed.size > 0 ? [names.orders] : [])];
  const kept = await startKept(admin, seen ? [...kindOf] : [], readAt);
  const wanted = orderIds && new Set(orderIds);
  const onRecords = async (records: readonly ConsumedRecord[]): Promise<boolean> => {
    const [first] = records;
    if (!first) return true;
    kept.note(first);
    const chosen = wanted ? records.filter(({ key }) => wanted.has(key?.toString() ?? '')) : records;
    const kind = kindOf.get(first.topic);
    const done = chosen.filter(({ offset, partition }) => offset < (committed.get(partition) ?? 0n));
    options.onFound(kind && seen ? await seen.note(kind, chosen) : await auditInput({ db, codec }, done));
    options.onRecords(records.length);
    return true;
  };
  const groupId = groupName(prefix, `audit-${randomUUID()}`);
  if (topics.length > 0)
    await readTopics({ kafka, admin, topics, groupId, fromBeginning: true, follow: false, onRecords });
  return { readAt, keptSince: kept.since() };
}

/** How far ingest has committed, by partition; empty when its group has committed nothing. */
export async function committedOffsets(admin: Admin, prefix: string): Promise<Map<number, bigint>> {
  const groupId = groupName(prefix, 'ingest');
  const [found] = await admin.fetchOffsets({ groupId, topics: [topicNames(prefix).orders] });
  const offsets = (found?.partitions ?? []).map(({ partition, offset }): [number, bigint] => [
    partition,
    BigInt(offset),
  ]);
  return new Map(offsets.filter(([, offset]) => offset > 0n));
}

interface KeptRecords {
  /** Told of the first record of each batch. */
  note(record: ConsumedRecord): void;
  since(): KeptSince;
}

/**
 * Topics forget what is too old, a partition at a time. Where one has, only what is newer than the oldest record it still
 * holds can be expected to be there.
 */
async function startKept(admin: Admin, topics: readonly [string, OutgoingTopic][], readAt: Date): Promise<KeptRecords> {
  const oldest = new Map<string, number>();
  const place = (topic: string, partition: number): string => `${topic}/${partition}`;
  for (const [topic] of topics) {
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      if (BigInt(low) > 0n) oldest.set(place(topic, partition), low === high ? readAt.getTime() : -1);
    }
  }
  return {
    note: ({ topic, partition, timestamp }) => {
      if (oldest.get(place(topic, partition)) === -1) oldest.set(place(topic, partition), timestamp);
    },
    since: () => {
      const times = topics.map(([topic, kind]): [OutgoingTopic, Date] => {
        const own = [...oldest].flatMap(([at, time]) => (at.startsWith(`${topic}/`) ? [time] : []));
        return [kind, new Date(Math.max(0, ...own))];
      });
      return Object.fromEntries(times.filter(([, time]) => time.getTime() > 0));
    },
  };
}
