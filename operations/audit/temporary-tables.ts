import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';

/**
 * Takes what an audit has kept on this connection away, however far it had come: the connection goes back to a pool. It is
 * gone already where the connection is what failed.
 */
export async function dropAuditTables(connection: Database): Promise<void> {
  await sql`drop table if exists audit_seen, audit_letters, audit_runs`.execute(connection).catch(() => undefined);
}
