import { sql } from 'kysely';
import type { Kysely } from 'kysely';

const STATEMENTS = [
  // The feed of all events goes by transaction ids, and a dump may be restored where they begin anew. What is added to
  // them then stands in this function, which oms setup replaces; so positions that readers hold stay in the past.
  `create function oms_feed_number(transaction_id xid8) returns xid8 language sql immutable
    return ((transaction_id::text)::bigint + 0)::text::xid8`,
  `alter table outbox alter column tx set default oms_feed_number(pg_current_xact_id())`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}
