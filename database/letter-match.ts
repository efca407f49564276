import { hash } from 'node:crypto';
import { sql } from 'kysely';
import type { Database } from './database.ts';
import { storable } from './ledger/records.ts';

/** A record of the dead letter topic. */
export interface GivenLetter {
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
