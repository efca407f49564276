import { sql } from 'kysely';
import type { Database } from './database.ts';

/** An answer that was given, and to what: the hash tells whether it is the same request that comes again. */
export interface KeptAnswer {
  requestHash: Buffer;
  status: number;
  headers: Record<string, string>;
  body: unknown;
}

/** The answer given under a key; undefined when there is none. */
export async function readAnswer(db: Database, key: string): Promise<KeptAnswer | undefined> {
  const row = await db.selectFrom('http_requests').selectAll().where('key', '=', key).executeTakeFirst();
  return row && { requestHash: row.request_hash, status: row.status, headers: row.headers, body: row.body };
}

/**
 * Keeps an answer, in the transaction of the effect it tells of. Of two requests under one key at the same time the
 * second waits here for the first and then answers false: it has to begin again and read the first one's answer.
 */
export async function keepAnswer(tx: Database, key: string, answer: KeptAnswer): Promise<boolean> {
  const { rows } = await sql`
    insert into http_requests (key, request_hash, status, headers, body)
    values (${key}, ${answer.requestHash}, ${answer.status}, ${JSON.stringify(answer.headers)}::jsonb,
      ${JSON.stringify(answer.body ?? null)}::jsonb)
    on conflict (key) do nothing returning 1
  `.execute(tx);
  return rows.length > 0;
}

/** Forgets answers older than `ms`. Returns how many. */
export async function forgetAnswers(db: Database, ms: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('http_requests')
    .where('at', '<', sql<Date>`now() - make_interval(secs => ${ms / 1_000})`)
    .executeTakeFirst();
  return Number(numDeletedRows);
}
