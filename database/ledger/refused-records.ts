import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import type { ErrorCode } from '../../domain/errors.ts';
import type { Database } from '../database.ts';

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
