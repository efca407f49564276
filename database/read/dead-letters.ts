import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import { hash } from 'node:crypto';
import type { ErrorCode, Fault } from '../../domain/errors.ts';
import type { Database } from '../database.ts';
import type { LetterState } from '../dead-letters.ts';
import { storable } from '../ledger/records.ts';
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

/** A record of the dead letter topic. */
interface GivenLetter {
  id: string;
  code: string;
  key: Buffer | null;
  value: Buffer | null;
}

/** A dead letter of the table, as the record of its id was compared with it. */
export interface MatchedLetter {
  orderId: string | null;
  code: string;
  isSame: boolean;
}

/** No bytes and none at all are not the same. */
const digest = (bytes: Buffer | null): Buffer | null => bytes && hash('sha256', bytes, 'buffer');

/** The dead letter with each record's id; undefined where there is none. */
export async function matchLetters(
  db: Database,
  given: readonly GivenLetter[],
): Promise<(MatchedLetter | undefined)[]> {
  if (given.length === 0) return [];
  const { rows } = await sql<MatchedLetter & { position: number }>`
    select g.position::int, l.order_id as "orderId", l.code,
      l.code = g.code and sha256(l.record_key) is not distinct from g.key
        and sha256(l.record_value) is not distinct from g.value as "isSame"
    from unnest(${given.map(({ id }) => storable(id))}::text[], ${given.map(({ code }) => storable(code))}::text[],
      ${given.map(({ key }) => digest(key))}::bytea[], ${given.map(({ value }) => digest(value))}::bytea[]
    ) with ordinality as g(id, code, key, value, position)
    join dead_letters l on l.id = g.id
  `.execute(db);
  const found = new Map(rows.map(({ position, ...letter }) => [position - 1, letter]));
  return given.map((_, i) => found.get(i));
}

/** A record of ingest's, by what tells whether it was refused. */
export interface RefusableRecord {
  /** The id of the dead letter it would be. */
  deadLetterId: string;
  /** The order it waits for, if it is of the kind that does. */
  waitsFor: string | null;
}

/**
 * Whether a record was refused: it is a dead letter, or repeats an event that waited in vain for its order. That became the
 * dead letter, and the ledger forgot the order.
 */
export function isRefused(deadLetterId: RawBuilder<unknown>, waitsFor: RawBuilder<unknown>): RawBuilder<boolean> {
  return sql<boolean>`(
    exists (select from dead_letters letter where letter.id = ${deadLetterId})
    or exists (
      select from dead_letters letter
      where letter.order_id = ${waitsFor} and letter.code = ${'OMS_INGEST_ORDER_NEVER_CAME' satisfies ErrorCode}
    )
  )`;
}

/** Of these records those that were refused: their positions in the input. */
export async function refusedRecords(db: Database, records: readonly RefusableRecord[]): Promise<Set<number>> {
  if (records.length === 0) return new Set();
  const { rows } = await sql<{ position: number }>`
    select given.position::int as position
    from unnest(${records.map((r) => r.deadLetterId)}::text[], ${records.map((r) => r.waitsFor)}::text[])
      with ordinality as given(letter_id, waits_for, position)
    where ${isRefused(sql`given.letter_id`, sql`given.waits_for`)}
  `.execute(db);
  return new Set(rows.map(({ position }) => position - 1));
}
