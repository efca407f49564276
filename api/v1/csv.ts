import { Readable } from 'node:stream';
import { stringify } from 'csv-stringify';

/** Rows as a CSV stream with a header line; what a spreadsheet would take for a formula is made text. */
export function csvOf(columns: readonly string[], rows: AsyncIterable<Record<string, unknown>>): Readable {
  return Readable.from(rows).pipe(stringify({ header: true, columns: [...columns], escape_formulas: true }));
}
