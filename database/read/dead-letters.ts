import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import type { ErrorCode, Fault } from '../../domain/errors.ts';
import type { Database } from '../database.ts';
import type { LetterState } from '../dead-letters.ts';
import type { LetterDecision } from '../tables/dead-letters.ts';
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
  /** How often its record had been put back on its topic when it was refused. */
  attempt: number;
  /** What an operator decided about it; null while nobody has. */
  decision: LetterDecision | null;
  decidedAt: Date | null;
}

/** What a list is narrowed to; all of it holds for each dead letter listed. */
export interface ListedLetterFilter {
  code?: string;
  orderId?: string;
  source?: string;
  /** With prefix. */
  topic?: string;
  /** Refused at or after, ms since the epoch. */
  from?: number;
  /** Refused before. */
  to?: number;
  /** `decided`: in whatever way. */
  state?: LetterState | 'decided';
  /** Put back on its topic so often, or more often. */
  minAttempt?: number;
}

/** Dead letters, newest first. The cursor's number is in microseconds: many are written in one millisecond. */
export async function listDeadLettersPaged(
  db: Database,
  filter: ListedLetterFilter,
  { after, limit }: { after?: Cursor | undefined; limit: number },
): Promise<Page<ListedDeadLetter>> {
  const conditions = [
    ...conditionsOf(filter),
    ...(after ? [sql`(created_at, id) < (${momentOf(after.at)}, ${after.id} collate "C")`] : []),
  ];
  const { rows } = await sql<ListedDeadLetter & { micros: number }>`
    select id, code, message, fault, order_id as "orderId", source, record_topic as topic,
      record_partition as partition, record_offset as "offset", created_at as "createdAt", sent_at as "sentAt",
      attempt, decision, decided_at as "decidedAt",
      (extract(epoch from created_at) * 1000000)::bigint as micros
    from dead_letters where ${sql.join(conditions, sql` and `)}
    order by created_at desc, id desc limit ${limit + 1}
  `.execute(db);
  return pageOf(rows, limit, ({ micros, id }) => ({ at: micros, id }));
}

function conditionsOf(filter: ListedLetterFilter): RawBuilder<unknown>[] {
  const { code, orderId, source, topic, from, to, state, minAttempt } = filter;
  const all = [
    code !== undefined && sql`code = ${code}`,
    orderId !== undefined && sql`order_id = ${orderId}`,
    source !== undefined && sql`source = ${source}`,
    topic !== undefined && sql`record_topic = ${topic}`,
    from !== undefined && sql`created_at >= ${new Date(from)}`,
    to !== undefined && sql`created_at < ${new Date(to)}`,
    minAttempt !== undefined && sql`attempt >= ${minAttempt}`,
    stateCondition(state),
  ];
  return [sql`true`, ...all.filter((one) => one !== false)];
}

function stateCondition(state: ListedLetterFilter['state']): RawBuilder<unknown> | false {
  if (state === undefined) return false;
  if (state === 'open') return sql`decided_at is null`;
  return state === 'decided' ? sql`decided_at is not null` : sql`decision = ${state}`;
}

const momentOf = (micros: number) => sql`timestamptz 'epoch' + ${micros}::float8 * interval '1 microsecond'`;
