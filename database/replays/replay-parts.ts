import { sql } from 'kysely';
import type { Database } from '../database.ts';

/** Counts by name: of what records were, or of what was done. */
export type Tallies = Record<string, number>;

/** The range of one partition, and how far it is done. */
export interface ReplayPart {
  partition: number;
  from: number;
  /** Excluded. */
  end: number;
  next: number;
  tallies: Tallies;
  effects: Tallies;
  /**
   * Records being worked on when the progress was last written, by offset, what they were judged to be, and whether a
   * dead letter of them was out before.
   */
  pending: [offset: number, judged: string, hadLetter?: boolean][];
}

/** A range as it was frozen. */
export type FrozenRange = Pick<ReplayPart, 'partition' | 'from' | 'end'>;

/** Nothing of the ranges is done yet. */
export async function insertParts(tx: Database, replayId: string, ranges: readonly FrozenRange[]): Promise<void> {
  const rows = ranges.map(({ partition, from, end }) => ({
    replay_id: replayId,
    ...{ partition, from_offset: from, end_offset: end, next_offset: from },
    ...{ tallies: '{}', effects: '{}' },
  }));
  if (rows.length > 0) await tx.insertInto('replay_parts').values(rows).execute();
}

/** Whether anything of the ranges is done. */
export async function hasMoved(db: Database, replayId: string): Promise<boolean> {
  const moved = db.selectFrom('replay_parts').select('partition').where('replay_id', '=', replayId);
  return (await moved.whereRef('next_offset', '>', 'from_offset').executeTakeFirst()) !== undefined;
}

/** Nothing of the ranges is done any more; whether anything was. */
export async function resetParts(tx: Database, replayId: string): Promise<boolean> {
  const { rows } = await sql`
    update replay_parts set next_offset = from_offset, tallies = '{}', effects = '{}', pending = null
    where replay_id = ${replayId} and next_offset > from_offset returning partition
  `.execute(tx);
  return rows.length > 0;
}

export async function readParts(db: Database, replayId: string): Promise<ReplayPart[]> {
  const rows = db.selectFrom('replay_parts').selectAll().where('replay_id', '=', replayId).orderBy('partition');
  return (await rows.execute()).map((row) => ({
    partition: row.partition,
    from: row.from_offset,
    end: row.end_offset,
    next: row.next_offset,
    tallies: row.tallies,
    effects: row.effects,
    pending: row.pending ?? [],
  }));
}

/** What is about to be done in a partition: after a crash it is found here, and counted as what it was. */
export async function savePending(
  db: Database,
  replayId: string,
  partition: number,
  pending: ReplayPart['pending'],
): Promise<void> {
  await db
    .updateTable('replay_parts')
    .set({ pending: JSON.stringify(pending) })
    .where('replay_id', '=', replayId)
    .where('partition', '=', partition)
    .execute();
}

/**
 * A partition is done up to `part.next`, if it was done up to `was` before. False when it was not: another process has
 * the replay.
 */
export async function saveProgress(db: Database, replayId: string, part: ReplayPart, was: number): Promise<boolean> {
  const { rows } = await sql`
    update replay_parts set next_offset = ${part.next}, tallies = ${JSON.stringify(part.tallies)}::jsonb,
      effects = ${JSON.stringify(part.effects)}::jsonb,
      pending = ${part.pending.length > 0 ? JSON.stringify(part.pending) : null}::jsonb
    where replay_id = ${replayId} and partition = ${part.partition} and next_offset = ${was}
    returning replay_id
  `.execute(db);
  return rows.length > 0;
}
