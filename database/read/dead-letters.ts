import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import type { ErrorCode, Fault } from '../../domain/errors.ts';
import type { Database } from '../database.ts';
import { pageOf } from './cursor.ts';
import type { Cursor, Page } from './cursor.ts';

/** A dead letter in a list: why it was refused and where it stood, not what it holds. */
export interface ListedDeadLetter {
  id: string;
  code: ErrorCode;
  message: string;
  fault: Fault | null;
  orderId: string | null;
  source: string | null;
  topic: string;
  partition: number;
  offset: number;
  createdAt: Date;
  /** When the dead letter topic acknowledged it; null until then. */
  sentAt: Date | null;
}

/** Dead letters, newest first. The cursor's number is in microseconds: many are written in one millisecond. */
export async function listDeadLettersPaged(
  db: Database,
  { code, orderId }: { code?: string; orderId?: string },
  { after, limit }: { after?: Cursor | undefined; limit: number },
): Promise<Page<ListedDeadLetter>> {
  const conditions: RawBuilder<unknown>[] = [
    sql`true`,
    ...(code === undefined ? [] : [sql`code = ${code}`]),
    ...(orderId === undefined ? [] : [sql`order_id = ${orderId}`]),
    ...(after ? [sql`(created_at, id) < (${momentOf(after.at)}, ${after.id} collate "C")`] : []),
  ];
  const { rows } = await sql<ListedDeadLetter & { micros: number }>`
    select id, code, message, fault, order_id as "orderId", source, record_topic as topic,
      record_partition as partition, record_offset as "offset", created_at as "createdAt", sent_at as "sentAt",
      (extract(epoch from created_at) * 1000000)::bigint as micros
    from dead_letters where ${sql.join(conditions, sql` and `)}
    order by created_at desc, id desc limit ${limit + 1}
  `.execute(db);
  return pageOf(rows, limit, ({ micros, id }) => ({ at: micros, id }));
}

const momentOf = (micros: number) => sql`timestamptz 'epoch' + ${micros}::float8 * interval '1 microsecond'`;
