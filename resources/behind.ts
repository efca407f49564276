import { randomUUID } from 'node:crypto';
import type { Database } from '../database/database.ts';
import { deadLetterId } from '../database/dead-letters.ts';
import {
  newestToldAt,
  readAccounted,
  readLedgerSince,
  untakenRecords,
  untoldEvents,
} from '../database/deployment/deployment.ts';
import type { TopicOffsets } from '../database/deployment/deployment.ts';
import { storedRecord } from '../database/ledger/records.ts';
import { OmsError } from '../domain/errors.ts';
import { isOrderId } from '../domain/ids.ts';
import type { IsForeign } from '../kafka/admin/deployment-mark.ts';
import { isTopicRefused, notAuthorized } from '../kafka/client/errors.ts';
import type { ConsumedRecord } from '../kafka/consumer/consumer.ts';
import { EVENT_HEADERS, headerText } from '../kafka/headers.ts';
import { readRanges } from '../kafka/reader/range-reader.ts';
import type { Range } from '../kafka/reader/range-reader.ts';
import { OUTGOING_TOPICS, groupName, topicNames } from '../kafka/topics.ts';
import type { TopicKind } from '../kafka/topics.ts';
import { greatest, lastTaken, named, ownTopicsThere, toldSince } from './topic-ends.ts';
import type { TopicParts } from './topic-ends.ts';

const SOURCE = 'oms';

/** Something on a topic that the database should know, and does not. */
interface Unknown {
  record: ConsumedRecord;
  what: string;
  /** What it may be beside a backup, and the way out of that. */
  unless?: string;
}

/**
 * Refuses a database that is older than the topics: a backup. It would give out the numbers of orders, invoices and events
 * a second time. What it knows is compared with the newest records on our topics and with the last that ingest committed.
 * What other deployments have put there says nothing about our database; `foreign` tells it apart.
 * @throws OmsError OMS_DATABASE_BEHIND, or a retryable one when a part is away or something may not be read
 */
export async function assertNotBehind(parts: TopicParts, foreign: Foreign): Promise<void> {
  const { since, found } = await compared(parts, foreign).catch(named(parts));
  if (!found) return;
  const { topic, partition, offset, timestamp } = found.record;
  const newest = since === undefined ? 'has no event at all' : `has none newer than about ${iso(since)}`;
  const message =
    `the database is older than the topics: it does not know ${found.what} on ${topic} (partition ${partition}, offset ` +
    `${offset}, of ${iso(timestamp)}), and ${newest}. It is a backup, and would give out ids and numbers a second time. ` +
    `Stop all roles, then bring it up to date: \`./oms rebuild --onto-backup --why 'backup restored'\`${found.unless ?? ''}`;
  throw new OmsError('OMS_DATABASE_BEHIND', message);
}

const iso = (ms: number): string => new Date(ms).toISOString();

/** The first unknown record, if there is any. */
async function compared(
  parts: TopicParts,
  foreign: Foreign,
): Promise<{ since: number | undefined; found: Unknown | undefined }> {
  const since = await newestToldAt(parts.db);
  const topics = await ownTopicsThere(parts);
  const accounted = await readAccounted(parts.db);
  // What is older was another ledger's to know.
  const known = (await readLedgerSince(parts.db))?.getTime() ?? -1;
  const ended = new AbortController();
  const found: Unknown[] = [];
  const look = async (kind: TopicKind, judge: Judge, of: () => Promise<Range[]>): Promise<void> => {
    const topic = topicNames(parts.config.OMS_PREFIX)[kind];
    if (!topics.has(topic)) return;
    const ranges = after(await of(), accounted[kind]);
    const onRecords = async (records: readonly ConsumedRecord[]): Promise<void> => {
      const unknown = await judge(
        parts.db,
        records.filter(({ timestamp }) => timestamp >= known),
      );
      if (!unknown) return;
      found.push(unknown);
      ended.abort();
    };
    // Of a group whose prefix every role may read and delete: that of the deployment's mark.
    const groupId = groupName(parts.config.OMS_PREFIX, `deployment-${randomUUID()}`);
    const reading = { connection: parts.connection, groupId, topic, ranges, onRecords, signal: ended.signal };
    await readRanges(reading).catch((error: unknown) => {
      throw isTopicRefused(error) ? notAuthorized('Read', topic, error) : error;
    });
  };
  await Promise.all([
    ...OUTGOING_TOPICS.map((kind) => look(kind, untold(foreign), () => toldSince(parts, kind, since))),
    look('orders', untaken, () => lastTaken(parts)),
  ]);
  return { since, found: found[0] };
}

const SKIPPED =
  ". If it is no backup, and the offsets of ingest's consumer group were set past records that nobody took: " +
  '`./oms setup --adopt`, and `./oms replay plan` brings them in';

/** Asked when it is needed: what the topics say whose they are is read at the same time. */
type Foreign = () => Promise<IsForeign>;

type Judge = (db: Database, records: readonly ConsumedRecord[]) => Promise<Unknown | undefined>;

/** What is not ours, whoever put it there, says nothing about our database. */
const untold =
  (foreign: Foreign): Judge =>
  async (db, records) => {
    const isForeign = await foreign();
    const own = records.flatMap((record) => {
      const [id, source] = [
        headerText(record.headers, EVENT_HEADERS.id),
        headerText(record.headers, EVENT_HEADERS.source),
      ];
      const isOurs = source === SOURCE && !isForeign(record.headers);
      return id !== undefined && isOurs && !id.includes('\0') ? [{ id, record }] : [];
    });
    const unknown = await untoldEvents(
      db,
      own.map(({ id }) => id),
    );
    const first = own.find(({ id }) => unknown.has(id));
    return first && { record: first.record, what: `event ${first.id}` };
  };

const untaken: Judge = async (db, records) => {
  const taken = records.map((record) => {
    const key = record.key?.toString('latin1');
    return { orderId: isOrderId(key) ? key : null, deadLetterId: deadLetterId(storedRecord(record)) };
  });
  const [first] = await untakenRecords(db, taken);
  const record = first === undefined ? undefined : records[first];
  const what = `the order ${record?.key?.toString() ?? 'record'}, which ingest has committed,`;
  return record && { record, what, unless: SKIPPED };
};

/** A topic that ends before its records are accounted for was made anew. */
function after(ranges: readonly Range[], accounted: TopicOffsets[string] | undefined): Range[] {
  return ranges.map((range) => {
    const known = BigInt(accounted?.[range.partition] ?? 0);
    return known > range.end ? range : { ...range, next: greatest(range.next, known) };
  });
}
