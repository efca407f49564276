import { sql } from 'kysely';
import type { Kysely } from 'kysely';

const STATEMENTS = [
  // What a dry run came across on topics other than `orders`: news, versions, places in an order's sequence. Worth nothing
  // after a crash of the server, hence unlogged.
  `create unlogged table replay_notes (
    replay_id text collate "C" not null,
    subject text collate "C" not null,
    name text collate "C" not null,
    n bigint generated always as identity,
    value jsonb not null,
    primary key (replay_id, subject, name)
  )`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}
