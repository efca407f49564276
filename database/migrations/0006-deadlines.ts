import { sql } from 'kysely';
import type { Kysely } from 'kysely';

/** Which promise about the order was not kept: to be shipped, or to be delivered by a time. */
const OVERDUE = `alter table orders add column overdue text check (overdue in ('shipBy', 'deliverBy'))`;

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(OVERDUE).execute(db);
}
