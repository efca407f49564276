import { randomUUID } from 'node:crypto';
import type { Admin, Kafka } from 'kafkajs';
import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import { orderIdOf } from '../../domain/ids.ts';
import { foreignTo, publishedBy, readTopicMark } from '../../kafka/admin/deployment-mark.ts';
import type { IsForeign } from '../../kafka/admin/deployment-mark.ts';
import { logEnds } from '../../kafka/admin/log-ends.ts';
import type { Codec } from '../../kafka/codec/codec.ts';
import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';
import { committedOffsets } from '../../kafka/consumer/lag.ts';
import { DEPLOYMENT_HEADER, DLQ_HEADERS } from '../../kafka/headers.ts';
import { readTopics } from '../../kafka/reader/read-topics.ts';
import { OUTGOING_TOPICS, groupName, topicNames } from '../../kafka/topics.ts';
import type { TopicKind } from '../../kafka/topics.ts';
import { topicRetentions } from '../../temporal/retention.ts';
import type { AuditPart, Difference, KeptSince, TopicReading } from './difference.ts';
import { auditInput } from './input.ts';
import type { SeenLetters } from './letters.ts';
import { auditNews, notePosted } from './news.ts';
import type { SeenRecords } from './seen.ts';

export interface TopicReadingOptions {
  db: Database;
  kafka: Kafka;
  admin: Admin;
  codec: Codec;
  prefix: string;
  parts: readonly AuditPart[];
  seen: SeenRecords | null;
  letters: SeenLetters | null;
  /** Only records with these keys, or keys of their shipments. */
  orderIds?: readonly string[];
  onFound: (differences: readonly Difference[]) => void;
  onRecords: (count: number) => void;
}

type Note = (records: readonly ConsumedRecord[]) => Promise<readonly Difference[]>;

/** Reads topics once, to the end they have now; what single records tell is told at once. */
export async function readAuditedTopics(options: TopicReadingOptions): Promise<TopicReading> {
  const { db, kafka, admin, prefix, orderIds } = options;
  const names = topicNames(prefix);
  const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(db);
  const readAt = rows[0]?.now ?? new Date();
  const notes = await notesOf(options);
  const kindOf = new Map([...notes.keys()].map((kind) => [names[kind], kind]));
  const kept = await startKept(admin, [...kindOf], readAt);
  const wanted = orderIds && new Set(orderIds);
  const isWanted = ({ key }: ConsumedRecord): boolean => {
    const text = key?.toString() ?? '';
    return !wanted || wanted.has(text) || wanted.has(orderIdOf(text));
  };
  const onRecords = async (records: readonly ConsumedRecord[]): Promise<boolean> => {
    const [first] = records;
    const note = first && notes.get(kindOf.get(first.topic) ?? 'orders');
    if (!note) return true;
    kept.note(first);
    options.onFound(await note(records.filter(isWanted)));
    options.onRecords(records.length);
    return true;
  };
  const groupId = groupName(prefix, `audit-${randomUUID()}`);
  const topics = [...kindOf.keys()];
  if (topics.length > 0)
    await readTopics({ kafka, admin, topics, groupId, fromBeginning: true, follow: false, atOnce: 3, onRecords });
  return { readAt, keptSince: kept.since() };
}

/** What is done with the records of each topic that is audited. */
async function notesOf(options: TopicReadingOptions): Promise<Map<TopicKind, Note>> {
  const { db, codec, kafka, admin, prefix, parts, seen, letters } = options;
  const notes = new Map<TopicKind, Note>();
  const readsOwn = parts.includes('topics') || letters !== null;
  const isForeign = foreignTo(readsOwn ? await readTopicMark(kafka, admin, prefix) : undefined);
  if (seen && parts.includes('topics'))
    for (const kind of OUTGOING_TOPICS)
      notes.set(
        kind,
        ownAlone('topics', isForeign, (own) => seen.note(kind, own)),
      );
  if (parts.includes('input')) {
    const isDone = await committedBy(admin, prefix, 'ingest', 'orders');
    if (isDone) notes.set('orders', (all) => auditInput({ db, codec }, all.filter(isDone)));
  }
  if (seen && parts.includes('news')) {
    const isDone = await committedBy(admin, prefix, 'carrier', 'carrier-updates');
    notes.set('carrier-updates', async (all) => {
      await notePosted(seen.db, all);
      return isDone ? auditNews({ db, codec }, all.filter(isDone)) : [];
    });
  }
  if (letters)
    notes.set(
      'orders.dlq',
      ownAlone('letters', isForeign, (own) => letters.note(own)),
    );
  return notes;
}

/** Null when the role has committed nothing. */
async function committedBy(admin: Admin, prefix: string, role: string, kind: TopicKind) {
  const committed = await committedOffsets(admin, prefix, role, kind);
  if (committed.size === 0) return null;
  return ({ partition, offset }: ConsumedRecord): boolean => offset < (committed.get(partition) ?? 0n);
}

/** Since when topics hold all that was sent to them. */
interface KeptRecords {
  /** Told of the first record of each batch. */
  note(record: ConsumedRecord): void;
  since(): KeptSince;
}

/**
 * Records stand on a topic about in the order of their times, not exactly: events of different orders pass each other, and
 * clocks differ.
 */
const MARGIN_MS = 3_600_000;

/** Of a partition that has forgotten records, and whose oldest has not been read yet. */
const UNREAD = -1;

/**
 * Topics forget what is too old, a partition at a time. Where one has, only what is newer than the oldest record it still
 * holds can be expected to be there. That one may be an old event that was told again; so what is older than the topic
 * keeps is not expected, either.
 */
async function startKept(admin: Admin, topics: readonly [string, TopicKind][], readAt: Date): Promise<KeptRecords> {
  const oldest = new Map<string, Map<number, number>>();
  for (const [topic] of topics) {
    const forgetful = (await logEnds(admin, topic)).filter(({ low }) => BigInt(low) > 0n);
    if (forgetful.length === 0) continue;
    const times = forgetful.map(({ partition, low, high }): [number, number] => [
      partition,
      low === high ? readAt.getTime() : UNREAD,
    ]);
    oldest.set(topic, new Map(times));
  }
  const kept = new Map(
    (oldest.size > 0 ? await topicRetentions(admin, [...oldest.keys()]) : []).flatMap(({ topic, retentionMs }) =>
      retentionMs === null ? [] : [[topic, readAt.getTime() - retentionMs]],
    ),
  );
  return {
    note: ({ topic, partition, timestamp }) => {
      const times = oldest.get(topic);
      if (times?.get(partition) === UNREAD) times.set(partition, timestamp);
    },
    since: () =>
      Object.fromEntries(
        topics.flatMap(([topic, kind]) => {
          const times = oldest.get(topic);
          return times ? [[kind, new Date(Math.max(kept.get(topic) ?? 0, ...times.values()) + MARGIN_MS)]] : [];
        }),
      ),
  };
}

/** What other deployments have put on our topics is told as such, and compared with nothing of ours. */
function ownAlone(part: 'topics' | 'letters', isForeign: IsForeign, note: Note): Note {
  const header = part === 'letters' ? DLQ_HEADERS.deployment : DEPLOYMENT_HEADER;
  return async (records) => {
    const foreign = new Set(records.filter(({ headers }) => isForeign(headers, header)));
    const own = await note(records.filter((record) => !foreign.has(record)));
    return [...[...foreign].map((record) => told(part, record, header)), ...own];
  };
}

function told(part: 'topics' | 'letters', record: ConsumedRecord, header: string): Difference {
  const { topic, partition, offset, key } = record;
  const subject = `${topic} ${partition}:${offset}`;
  const detail = publishedBy(record, header);
  const orderId = key ? orderIdOf(key.toString()) : null;
  return { part, code: 'OMS_AUDIT_RECORD_FOREIGN', orderId, subject, detail, remedy: null };
}
