import { sql } from 'kysely';
import type { ErrorCode, Fault } from '../domain/errors.ts';
import type { Database } from './database.ts';
import { recordColumns, recordFrom, storable } from './records.ts';
import type { RecordRow, StoredRecord } from './records.ts';

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
}

/** A dead letter as it lies in the database. */
export interface StoredDeadLetter extends DeadLetter {
  createdAt: Date;
  /** When the dead letter topic acknowledged it; null until then. */
  sentAt: Date | null;
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
  };
}

export interface DeadLetterFilter {
  code?: string;
  orderId?: string;
  source?: string;
  /** Most rows to return. @default 100 */
  limit?: number;
}

/** Dead letters, newest first. */
export async function listDeadLetters(db: Database, filter: DeadLetterFilter = {}): Promise<StoredDeadLetter[]> {
  let query = db.selectFrom('dead_letters').selectAll();
  if (filter.code !== undefined) query = query.where('code', '=', filter.code);
  if (filter.orderId !== undefined) query = query.where('order_id', '=', filter.orderId);
  if (filter.source !== undefined) query = query.where('source', '=', filter.source);
  const rows = await query
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .limit(filter.limit ?? 100)
    .execute();
  return rows.map(deadLetterFrom);
}

export async function getDeadLetter(db: Database, id: string): Promise<StoredDeadLetter | undefined> {
  const row = await db.selectFrom('dead_letters').selectAll().where('id', '=', id).executeTakeFirst();
  return row && deadLetterFrom(row);
}

/** How many there are of each code. */
export async function countDeadLetters(db: Database): Promise<{ code: string; count: number }[]> {
  const { rows } = await sql<{ code: string; count: number }>`
    select code, count(*) as count from dead_letters group by code order by code
  `.execute(db);
  return rows;
}
