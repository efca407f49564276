import { sql } from 'kysely';
import type { Database } from '../database.ts';

/**
 * Another text when what answers is another server, the server was started again, or database or tables were made anew: all
 * ways in which a backup, or a replica that lacks the newest transactions, comes into the place of a database.
 */
export async function readIdentity(db: Database): Promise<string> {
  const { rows } = await sql<{ identity: string }>`
    select concat_ws('/', inet_server_addr(), inet_server_port(), pg_postmaster_start_time(), oid, to_regclass('deployment')::oid)
      as identity
    from pg_database where datname = current_database()
  `.execute(db);
  return rows[0]?.identity ?? '';
}
