import { sql } from 'kysely';
import type { Kysely } from 'kysely';

const STATEMENTS = [
  // Which promise about the order was not kept: to be shipped, or to be delivered by a time.
  `alter table orders add column overdue text check (overdue in ('shipBy', 'deliverBy'))`,
  // Why an incoming event was refused.
  `alter table ledger_events add column reason text`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}
