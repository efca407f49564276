import type { Database } from '../database.ts';

export interface ReplayAction {
  action: string;
  doneBy: string;
  detail: string | null;
  at: Date;
}

export async function noteAction(
  tx: Database,
  replayId: string,
  action: string,
  doneBy: string,
  detail: string | null = null,
): Promise<void> {
  await tx.insertInto('replay_actions').values({ replay_id: replayId, action, done_by: doneBy, detail }).execute();
}

/** Who did what to a replay, oldest first. */
export async function readActions(db: Database, replayId: string): Promise<ReplayAction[]> {
  const rows = db.selectFrom('replay_actions').selectAll().where('replay_id', '=', replayId).orderBy('id');
  return (await rows.execute()).map(({ action, done_by: doneBy, detail, at }) => ({ action, doneBy, detail, at }));
}
