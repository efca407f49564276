import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import { storable } from '../../database/ledger/records.ts';
import { matchLetters } from '../../database/read/dead-letters.ts';
import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';
import { DLQ_HEADERS, headerText } from '../../kafka/headers.ts';
import type { AuditCode, Difference, TopicReading, WholeCheck } from './difference.ts';

/** Which dead letters were seen on their topic: a temporary table, as of events (seen.ts). */
export interface SeenLetters {
  /** Notes a batch; returns which records are no dead letters of ours, or other ones. */
  note(records: readonly ConsumedRecord[]): Promise<Difference[]>;
  /** Dead letters the topic has acknowledged, still keeps by their age, and does not have. */
  missing(reading: TopicReading): WholeCheck;
}

export async function createSeenLetters(connection: Database): Promise<SeenLetters> {
  await sql`create temporary table audit_letters (id text collate "C" primary key)`.execute(connection);
  return {
    note: (records) => noteLetters(connection, records),
    missing: (reading) => () => missingLetters(connection, reading),
  };
}

/** A dead letter is written down before it is sent: its row is there whenever its record is. */
async function noteLetters(db: Database, records: readonly ConsumedRecord[]): Promise<Difference[]> {
  const given = records.map((record) => ({ id: textIn(record, 'id'), code: textIn(record, 'errorCode'), ...record }));
  const matched = await matchLetters(db, given);
  const known = given.flatMap(({ id }, i) => (matched[i] ? [id] : []));
  await sql`insert into audit_letters select unnest(${known}::text[]) on conflict do nothing`.execute(db);
  return records.flatMap((record, i) => {
    const match = matched[i];
    if (!match) return [found('OMS_AUDIT_LETTER_UNKNOWN', record, 'is not in the database')];
    if (match.isSame) return [];
    return [found('OMS_AUDIT_LETTER_DIFFERS', record, 'has another key, reason or other bytes than in the database')];
  });
}

const textIn = ({ headers }: ConsumedRecord, name: 'id' | 'errorCode'): string =>
  storable(headerText(headers, DLQ_HEADERS[name]) ?? '');

function found(code: AuditCode, record: ConsumedRecord, what: string): Difference {
  const { topic, partition, offset, headers } = record;
  const orderId = headerText(headers, DLQ_HEADERS.orderId) ?? null;
  const detail = `dead letter ${textIn(record, 'id') || 'without id'} ${what}`;
  return { part: 'letters', code, orderId, subject: `${topic} ${partition}:${offset}`, detail, remedy: null };
}

/** Most that are named: a topic that was made anew lacks them all, for one cause. */
const MOST_NAMED = 10_000;

async function missingLetters(db: Database, { readAt, keptSince }: TopicReading): Promise<Difference[]> {
  const { rows } = await sql<{ id: string; orderId: string | null; sentAt: Date }>`
    select l.id, l.order_id as "orderId", l.sent_at as "sentAt" from dead_letters l
    where l.sent_at < ${readAt} and l.created_at > ${keptSince['orders.dlq'] ?? new Date(0)}
      and not exists (select from audit_letters s where s.id = l.id)
    order by l.created_at, l.id limit ${MOST_NAMED}
  `.execute(db);
  return rows.map(({ id, orderId, sentAt }) => ({
    ...{ part: 'letters', code: 'OMS_AUDIT_LETTER_MISSING', orderId, subject: id, remedy: 'sendLetterAgain' },
    detail: `dead letter was sent at ${sentAt.toISOString()}, and is not on its topic`,
  }));
}
