import { sql } from 'kysely';
import type { Database } from '../database.ts';
import { noteAction } from './replay-actions.ts';
import { withReplayLock } from './replay-lock.ts';
import { moveReplay } from './replays.ts';

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
      where replays.replay_id = ${sql.table(table)}.replay_id and replays.state in ('planned', 'finished', 'aborted')
    `.execute(db);
  }
}

async function endPlan(db: Database, replayId: string, by: string): Promise<void> {
  if (await moveReplay(db, replayId, ['planning'], 'aborted')) await noteAction(db, replayId, 'aborted', by, KILLED);
}
