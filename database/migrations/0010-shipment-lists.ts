import { sql } from 'kysely';
import type { Kysely } from 'kysely';

const STATEMENTS = [
  // By time alone, a carrier that is long gone or a rare status is looked for among all shipments there ever were.
  `create index shipments_by_carrier on shipments (carrier, booked_at desc, shipment_id desc) include (status)
    where booked_at is not null`,
  `create index shipments_by_status on shipments (status, booked_at desc, shipment_id desc) include (carrier)
    where booked_at is not null`,
];

/** Lists of shipments by carrier and by status. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}
