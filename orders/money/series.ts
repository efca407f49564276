import { sql } from 'kysely';
import { rowsOf } from '../../database/database.ts';
import type { Database } from '../../database/database.ts';
import { MAINTENANCE, approval } from './spend.ts';

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

/** SQLSTATE of what cannot be invoiced now, since payments are held by maintenance mode. */
export const IN_MAINTENANCE = 'OM503';

/** An invoice's number, and whether the customer may spend its total. */
export interface NumberedInvoice {
  number: number;
  approved: boolean;
}

/**
 * Takes a number for each invoice and decides whether the customer may spend its total (minor units), in the order given.
 * One statement for what has to happen in this order: the series is locked, then the customer's row. A decision that was
 * made before is answered as it is. Fails with IN_MAINTENANCE, and nothing is decided or numbered.
 */
export async function numberInvoices(
  tx: Database,
  { orderId, customerId, currency }: { orderId: string; customerId: string; currency: string },
  invoices: readonly { id: string; amount: number }[],
): Promise<NumberedInvoice[]> {
  const count = sql`${invoices.length}::bigint`;
  const asked = invoices.map((invoice, position) => ({ ...invoice, position }));
  const approved = approval({ id: sql`r.id`, orderId, customerId, currency, amount: sql`r.amount` });
  const { rows } = await sql<NumberedInvoice>`
    with maintenance as materialized (
      select oms_expect(count(*), 0, ${IN_MAINTENANCE}, 'payments held by maintenance mode') as held from settings
      where name = ${MAINTENANCE} and value = 'true'
    ), numbers as (
      insert into invoice_series as s (series, next) select ${INVOICES}, 1 + ${count} from maintenance where held = 0
      on conflict (series) do update set next = s.next + ${count} returning s.next - ${count} as first
    )
    select numbers.first + r.position as number, ${approved} as approved
    from numbers cross join ${rowsOf(asked, 'id text, amount bigint, position int')} order by r.position
  `.execute(tx);
  return rows;
}
