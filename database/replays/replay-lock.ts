import { sql } from 'kysely';
import { replayState } from '../database.ts';
import type { Database } from '../database.ts';
import { moveReplay, noteAction } from './replays.ts';

/** Advisory locks of replays, beside those of other kinds. */
const LOCK_CLASS = 0x6f6d72;

/**
 * Holds the replay for this process while `work` runs: on a connection of its own, so that the lock is gone with the
 * process, however it ends. Undefined when another process has it.
 */
export async function withReplayLock<T>(
  db: Database,
  replayId: string,
  work: () => Promise<T>,
): Promise<{ result: T } | undefined> {
  return db.connection().execute(async (own) => {
    const key = sql`${LOCK_CLASS}::int, hashtext(${replayId})`;
    const { rows } = await sql<{ got: boolean }>`select pg_try_advisory_lock(${key}) as got`.execute(own);
    if (!rows[0]?.got) return undefined;
    try {
      return { result: await work() };
    } finally {
      await sql`select pg_advisory_unlock(${key})`.execute(own).catch(() => undefined);
    }
  });
}

/** Whether a process holds the replay now. */
export async function isReplayHeld(db: Database, replayId: string): Promise<boolean> {
  const { rows } = await sql<{ held: boolean }>`
    select exists (
      select from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())
        and classid = ${LOCK_CLASS}::bigint::oid and objid = (hashtext(${replayId})::bigint & 4294967295)::oid and granted
    ) as held
  `.execute(db);
  return rows[0]?.held ?? false;
}

const KILLED = 'its process was gone before it was planned';

/**
 * Ends plans whose process was killed, which nobody can go on with, and drops what dry runs that are over kept for
 * themselves.
 */
export async function clearLeftovers(db: Database, by: string): Promise<void> {
  const planning = await db.selectFrom('replays').select('replay_id').where('state', '=', 'planning').execute();
  for (const { replay_id: id } of planning) await withReplayLock(db, id, () => endPlan(db, id, by));
  for (const table of ['replay_drafts', 'replay_notes'] as const) {
    await sql`
      delete from ${sql.table(table)} using replays
      where replays.replay_id = ${sql.table(table)}.replay_id and replays.state in (${replayState('planned', 'finished', 'aborted')})
    `.execute(db);
  }
}

async function endPlan(db: Database, replayId: string, by: string): Promise<void> {
  if (await moveReplay(db, replayId, ['planning'], 'aborted')) await noteAction(db, replayId, 'aborted', by, KILLED);
}
