import { sql } from 'kysely';
import { hash } from 'node:crypto';
import type { ErrorCode, Fault } from '../domain/errors.ts';
import type { Database } from './database.ts';
import { recordColumns, recordFrom, storable } from './ledger/records.ts';
import type { RecordRow, StoredRecord } from './ledger/records.ts';
import type { LetterDecision } from './tables/dead-letters.ts';

/** A record that could not be taken, and why. */
export interface DeadLetter {
  /** Follows from the record alone, so that a repeat is the same dead letter. */
  id: string;
  code: ErrorCode;
  message: string;
  fault: Fault | null;
  /** The order it is about, where that could be read. */
  orderId: string | null;
  source: string | null;
  record: StoredRecord;
  /** How often its record had been put back on its topic when it was refused. @default 0 */
  attempt?: number;
}

/** A dead letter as it lies in the database. */
export interface StoredDeadLetter extends DeadLetter {
  createdAt: Date;
  /** When the dead letter topic acknowledged it; null until then. */
  sentAt: Date | null;
  /** What an operator decided about it; null while nobody has. */
  decision: LetterDecision | null;
  decidedAt: Date | null;
  attempt: number;
}

interface DeadLetterRow extends RecordRow {
  id: string;
  code: string;
  message: string;
  fault: Fault | null;
  order_id: string | null;
  source: string | null;
  created_at: Date;
  sent_at: Date | null;
  decision: LetterDecision | null;
  decided_at: Date | null;
  attempt: number;
}

const INSERT_ROWS = 500;

/** Writes down what is going to be sent to the dead letter topic; returns the ids that are not acknowledged yet. */
export async function intendDeadLetters(db: Database, letters: readonly DeadLetter[]): Promise<Set<string>> {
  const rows = [...new Map(letters.map((letter) => [letter.id, letter])).values()]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map(deadLetterRow);
  for (let from = 0; from < rows.length; from += INSERT_ROWS) {
    await db
      .insertInto('dead_letters')
      .values(rows.slice(from, from + INSERT_ROWS))
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute();
  }
  const unsent = await sql<{ id: string }>`
    select id from dead_letters where id = any(${rows.map((row) => row.id)}::text[]) and sent_at is null
  `.execute(db);
  return new Set(unsent.rows.map((row) => row.id));
}

function deadLetterRow(letter: DeadLetter) {
  return {
    id: letter.id,
    code: letter.code,
    message: storable(letter.message),
    fault: letter.fault ? JSON.stringify(storableFault(letter.fault)) : null,
    order_id: letter.orderId,
    source: letter.source === null ? null : storable(letter.source),
    attempt: letter.attempt ?? 0,
    ...recordColumns(letter.record),
  };
}

function storableFault(fault: Fault): Fault {
  return { field: storable(fault.field), value: storable(fault.value), rule: storable(fault.rule) };
}

/** The dead letter topic has acknowledged them. The first acknowledgement counts. */
export async function markDeadLettersSent(db: Database, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await sql`
    update dead_letters set sent_at = clock_timestamp()
    where id = any(${[...ids].sort()}::text[]) and sent_at is null
  `.execute(db);
}

/** Those of the dead letters that their topic has acknowledged. */
export async function sentDeadLetters(db: Database, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const { rows } = await sql<{ id: string }>`
    select id from dead_letters where id = any(${[...ids]}::text[]) and sent_at is not null
  `.execute(db);
  return new Set(rows.map(({ id }) => id));
}

/** Values of the refused records of a topic that are about these orders. */
export async function refusedValues(db: Database, topic: string, orderIds: readonly string[]): Promise<Buffer[]> {
  const { rows } = await sql<{ value: Buffer }>`
    select record_value as value from dead_letters
    where order_id = any(${[...orderIds]}::text[]) and record_topic = ${topic} and record_value is not null
  `.execute(db);
  return rows.map(({ value }) => value);
}

/** Dead letters intended at least `olderThanMs` ago and never acknowledged, oldest first. */
export async function unsentDeadLetters(db: Database, olderThanMs: number, limit: number): Promise<DeadLetter[]> {
  const { rows } = await sql<DeadLetterRow>`
    select * from dead_letters
    where sent_at is null and created_at < clock_timestamp() - make_interval(secs => ${olderThanMs / 1_000})
    order by created_at, id limit ${limit}
  `.execute(db);
  return rows.map(deadLetterFrom);
}

function deadLetterFrom(row: DeadLetterRow): StoredDeadLetter {
  return {
    id: row.id,
    code: row.code as ErrorCode,
    message: row.message,
    fault: row.fault,
    orderId: row.order_id,
    source: row.source,
    record: recordFrom(row),
    createdAt: row.created_at,
    sentAt: row.sent_at,
    decision: row.decision,
    decidedAt: row.decided_at,
    attempt: row.attempt,
  };
}

export interface DeadLetterFilter {
  code?: string;
  orderId?: string;
  source?: string;
  /** With prefix. */
  topic?: string;
  /** Refused at or after. */
  since?: Date;
  /** Refused before. */
  until?: Date;
  /** `open`: nobody has decided about it yet. @default whatever was decided */
  state?: LetterState;
  /** Most rows to return. @default 100 */
  limit?: number;
  /** `place`: as their records stood on their topics, so that those of one order keep their order. @default newest */
  by?: 'newest' | 'place';
}

export const LETTER_STATES = ['open', 'retried', 'edited', 'dropped'] as const;
export type LetterState = (typeof LETTER_STATES)[number];

/** Dead letters, by default newest first. */
export async function listDeadLetters(db: Database, filter: DeadLetterFilter = {}): Promise<StoredDeadLetter[]> {
  const query = chosen(db, filter).selectAll();
  const ordered =
    filter.by === 'place'
      ? query.orderBy('record_topic').orderBy('record_partition').orderBy('record_offset')
      : query.orderBy('created_at', 'desc');
  const rows = await ordered
    .orderBy('id')
    .limit(filter.limit ?? 100)
    .execute();
  return rows.map(deadLetterFrom);
}

function chosen(db: Database, { code, orderId, source, topic, since, until, state }: DeadLetterFilter) {
  let query = db.selectFrom('dead_letters');
  if (code !== undefined) query = query.where('code', '=', code);
  if (orderId !== undefined) query = query.where('order_id', '=', orderId);
  if (source !== undefined) query = query.where('source', '=', source);
  if (topic !== undefined) query = query.where('record_topic', '=', topic);
  if (since !== undefined) query = query.where('created_at', '>=', since);
  if (until !== undefined) query = query.where('created_at', '<', until);
  if (state === 'open') return query.where('decided_at', 'is', null);
  return state === undefined ? query : query.where('decision', '=', state);
}

export async function getDeadLetter(db: Database, id: string): Promise<StoredDeadLetter | undefined> {
  const row = await db.selectFrom('dead_letters').selectAll().where('id', '=', id).executeTakeFirst();
  return row && deadLetterFrom(row);
}

/** The dead letter, which nobody else can decide about until the transaction ends. */
export async function lockDeadLetter(tx: Database, id: string): Promise<StoredDeadLetter | undefined> {
  const row = await tx.selectFrom('dead_letters').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
  return row && deadLetterFrom(row);
}

/** Notes what was decided. The dead letter stays: nothing is ever deleted. */
export async function markDecided(tx: Database, id: string, decision: LetterDecision): Promise<void> {
  await sql`
    update dead_letters set decision = ${decision}, decided_at = clock_timestamp() where id = ${id}
  `.execute(tx);
}

/** How many of those a filter chooses, whatever its limit, have each code, and how many of them nobody has decided about. */
export async function countDeadLetters(
  db: Database,
  filter: DeadLetterFilter = {},
): Promise<{ code: string; count: number; open: number }[]> {
  return chosen(db, filter)
    .select((one) => [
      'code',
      one.fn.countAll<number>().as('count'),
      one.fn.countAll<number>().filterWhere('decided_at', 'is', null).as('open'),
    ])
    .groupBy('code')
    .orderBy('code')
    .execute();
}

/** Follows from where and when the record stood and what it held: reading it again gives the same id. */
export function deadLetterId({ topic, partition, offset, time, value }: StoredRecord): string {
  const content = value === null ? 'null' : hash('sha256', value);
  return hash('sha256', JSON.stringify([topic, partition, offset, time, content])).slice(0, 32);
}
