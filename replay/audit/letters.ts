import { hash } from 'node:crypto';
import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import { storable } from '../../database/records.ts';
import type { ConsumedRecord } from '../../kafka/consumer.ts';
import { DLQ_HEADERS, headerText } from '../../kafka/headers.ts';
import type { AuditCode, Difference, WholeCheck } from './difference.ts';
import type { TopicReading } from './topic-reading.ts';

/** Which dead letters were seen on their topic: a temporary table, as of events (seen.ts). */
export interface SeenLetters {
  /** Notes a batch; returns which records are no dead letters of ours, or other ones. */
  note(records: readonly ConsumedRecord[]): Promise<Difference[]>;
  /** Dead letters the topic has acknowledged, still keeps by their age, and does not have. */
  missing(reading: TopicReading): WholeCheck;
  drop(): Promise<void>;
}

export async function createSeenLetters(connection: Database): Promise<SeenLetters> {
  await sql`create temporary table audit_letters (id text collate "C" primary key)`.execute(connection);
  return {
    note: (records) => noteLetters(connection, records),
    missing: (reading) => () => missingLetters(connection, reading),
    drop: async () => void (await sql`drop table audit_letters`.execute(connection)),
  };
}

const idOf = ({ headers }: ConsumedRecord): string => storable(headerText(headers, DLQ_HEADERS.id) ?? '');
const digest = (bytes: Buffer | null): Buffer | null => bytes && hash('sha256', bytes, 'buffer');

/** A dead letter is written down before it is sent: its row is there whenever its record is. */
async function noteLetters(db: Database, records: readonly ConsumedRecord[]): Promise<Difference[]> {
  const { rows } = await sql<{ position: number; isKnown: boolean }>`
    with given as (
      select * from unnest(${records.map(idOf)}::text[], ${records.map(({ key }) => digest(key))}::bytea[],
        ${records.map(({ value }) => digest(value))}::bytea[]) with ordinality as r(id, key, value, position)
    ), noted as (
      insert into audit_letters select l.id from given g join dead_letters l on l.id = g.id on conflict do nothing
    )
    select g.position::int, l.id is not null as "isKnown" from given g left join dead_letters l on l.id = g.id
    where l.id is null or sha256(l.record_key) is distinct from g.key or sha256(l.record_value) is distinct from g.value
    order by g.position
  `.execute(db);
  return rows.flatMap(({ position, isKnown }) => {
    const record = records[position - 1];
    if (!record) return [];
    return isKnown
      ? [found('OMS_AUDIT_LETTER_DIFFERS', record, 'has another key or other bytes than in the database')]
      : [found('OMS_AUDIT_LETTER_UNKNOWN', record, 'is not in the database')];
  });
}

function found(code: AuditCode, record: ConsumedRecord, what: string): Difference {
  const { topic, partition, offset, headers } = record;
  const orderId = headerText(headers, DLQ_HEADERS.orderId) ?? null;
  const detail = `dead letter ${idOf(record) || 'without id'} ${what}`;
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
