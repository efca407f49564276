import { transaction } from '../../database/database.ts';
import type { Database } from '../../database/database.ts';
import { assertNotesKept, beginNotes, dropDrafts, hasBegun } from '../../database/replays/replay-notes.ts';
import { hasMoved, resetParts } from '../../database/replays/replay-parts.ts';
import { noteAction } from '../../database/replays/replays.ts';
import { isOmsError } from '../../domain/errors.ts';

/**
 * What a dry run notes is in tables that PostgreSQL empties when it recovers from a crash: repeats would then count as
 * first ones. So each piece of progress is written with the proof that all notes are there still.
 */
export function keptWhole(replayId: string, keep: (tx: Database) => Promise<void>): (tx: Database) => Promise<void> {
  return async (tx) => {
    await assertNotesKept(tx, replayId);
    await keep(tx);
  };
}

/**
 * Begins a dry run's notes; a run that had come somewhere and whose notes are not proved whole stands at its beginning
 * again. What a plan that was killed, or an earlier version, has left of notes does not count.
 */
export function beginDryRun(db: Database, replayId: string, by: string): Promise<void> {
  return transaction(db, async (tx) => {
    if ((await hasBegun(tx, replayId)) && (await hasMoved(tx, replayId))) return;
    await dropDrafts(tx, replayId);
    await beginNotes(tx, replayId);
    if (await resetParts(tx, replayId)) await noteAction(tx, replayId, 'begun again', by, LOST);
  });
}

const LOST = 'the database had lost what was noted, as it does in a crash';

/** Does a dry run, again from its beginning for as often as its notes are lost meanwhile. */
export async function dryRun(db: Database, replayId: string, by: string, work: () => Promise<void>): Promise<void> {
  for (;;) {
    await beginDryRun(db, replayId, by);
    try {
      return await work();
    } catch (error) {
      if (!isOmsError(error) || error.code !== 'OMS_REPLAY_NOTES_LOST') throw error;
    }
  }
}
