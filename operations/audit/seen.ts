import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import { matchedRows } from '../../database/outbox/outbox-archive.ts';
import type { OutgoingTopic } from '../../database/outbox/outbox.ts';
import { orderIdOf } from '../../domain/ids.ts';
import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';
import { EVENT_ID_HEADER, headerText } from '../../kafka/headers.ts';
import type { AuditCode, Difference } from './difference.ts';

/**
 * Which events of the outbox were seen on their topics, and where: a temporary table of one connection, so that a topic of
 * any length needs no memory here.
 */
export interface SeenRecords {
  /** On the connection that has the table `audit_seen`. */
  db: Database;
  /** Notes a batch of one partition; returns what is wrong with its records. */
  note(topic: OutgoingTopic, records: readonly ConsumedRecord[]): Promise<Difference[]>;
  /** All was read: from here on the table is only asked. */
  read(): Promise<void>;
}

export async function createSeenRecords(connection: Database): Promise<SeenRecords> {
  await sql`
    create temporary table audit_seen (
      outbox_id bigint primary key, partition int not null, first_offset bigint not null, last_offset bigint not null
    )
  `.execute(connection);
  return {
    db: connection,
    note: async (topic, records) => {
      if (records.length === 0) return [];
      const unknown = records.filter(({ headers }) => headerText(headers, EVENT_ID_HEADER) === undefined);
      const known = records.filter(({ headers }) => headerText(headers, EVENT_ID_HEADER) !== undefined);
      const wrong = known.length > 0 ? await noteKnown(connection, topic, known) : [];
      return [...unknown.map((record) => found('OMS_AUDIT_RECORD_UNKNOWN', record, 'has no event id')), ...wrong];
    },
    read: async () => void (await sql`analyze audit_seen`.execute(connection)),
  };
}

interface Judged {
  position: number;
  isKnown: boolean;
}

async function noteKnown(
  db: Database,
  topic: OutgoingTopic,
  records: readonly ConsumedRecord[],
): Promise<Difference[]> {
  const partition = records[0]?.partition ?? 0;
  const given = records.map(({ headers, key, value, offset }) => ({
    eventId: headerText(headers, EVENT_ID_HEADER) ?? '',
    key: key?.toString() ?? '',
    ...{ value, offset },
  }));
  const { rows } = await sql<Judged>`
    with judged as (${matchedRows(topic, given)}), noted as (
      insert into audit_seen (outbox_id, partition, first_offset, last_offset)
      select id, ${partition}::int, min("offset"), max("offset") from judged where is_ours group by id
      on conflict (outbox_id) do update set
        first_offset = case when audit_seen.partition = excluded.partition
          then least(audit_seen.first_offset, excluded.first_offset) else audit_seen.first_offset end,
        last_offset = case when audit_seen.partition = excluded.partition
          then greatest(audit_seen.last_offset, excluded.last_offset) else audit_seen.last_offset end
    )
    select position, is_ours as "isKnown" from judged where not is_same order by position
  `.execute(db);
  return rows.flatMap(({ position, isKnown }) => {
    const record = records[position - 1];
    if (!record) return [];
    return isKnown
      ? [found('OMS_AUDIT_RECORD_DIFFERS', record, 'has another key or other bytes than the event in the outbox')]
      : [found('OMS_AUDIT_RECORD_UNKNOWN', record, 'is no event of the outbox')];
  });
}

function found(code: AuditCode, record: ConsumedRecord, what: string): Difference {
  const { topic, partition, offset, key, headers } = record;
  const orderId = key ? orderIdOf(key.toString()) : null;
  const detail = `event ${headerText(headers, EVENT_ID_HEADER) ?? 'without id'} ${what}`;
  return { part: 'topics', code, orderId, subject: `${topic} ${partition}:${offset}`, detail, remedy: null };
}
