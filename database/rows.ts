import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';

/** Rows of plain values as a table `r`: one parameter whatever their number, so that the statement's text stays the same. */
export function rowsOf(rows: readonly unknown[], columns: string): RawBuilder<unknown> {
  return sql`json_to_recordset(${JSON.stringify(rows)}::json) as r(${sql.raw(columns)})`;
}
