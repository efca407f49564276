import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';

/** The series documents are numbered in; each is gapless. */
export const INVOICES = 'INV';
export const CREDIT_NOTES = 'CN';
export type Series = typeof INVOICES | typeof CREDIT_NOTES;

const NUMBER_DIGITS = 8;

/** A document's public number: `INV-00000001`. */
export function documentId(series: Series, number: number): string {
  return `${series}-${String(number).padStart(NUMBER_DIGITS, '0')}`;
}

/** Series and number of a document by its public number. @throws RangeError for what is none */
export function seriesOf(documentId: string): { series: Series; number: number } {
  const [, series, number] = /^(INV|CN)-(\d+)$/.exec(documentId) ?? [];
  if (!series || !number) throw new RangeError(`${documentId} is no number of a document`);
  return { series: series as Series, number: Number(number) };
}

/**
 * The first of the next `count` numbers of the series. Its row stays locked to the end of the transaction, so that none
 * is ever missing; a transaction that needs both series takes invoices first.
 */
export async function takeNumbers(tx: Database, series: Series, count: number): Promise<number> {
  const { rows } = await sql<{ first: number }>`
    insert into invoice_series (series, next) values (${series}, 1 + ${count}::bigint)
    on conflict (series) do update set next = invoice_series.next + ${count}::bigint
    returning next - ${count}::bigint as first
  `.execute(tx);
  return rows[0]?.first ?? 1;
}
