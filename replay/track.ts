import type { Database } from '../database/database.ts';
import { databaseError } from '../database/database.ts';
import { readParts, savePending, saveProgress } from '../database/replay-parts.ts';
import type { ReplayPart } from '../database/replay-parts.ts';
import type { Tallies } from '../database/replays.ts';
import { OmsError } from '../domain/errors.ts';
import { count, sumOf } from './tallies.ts';

/** How far a replay is, in the database before it is anywhere else. */
export interface Track {
  parts(): readonly ReplayPart[];
  /** What a record was judged to be when it was about to be done and the process died; undefined for all others. */
  judgedBefore(partition: number, offset: number): string | undefined;
  /** These records are about to be done. @throws OmsError OMS_DATABASE_UNAVAILABLE */
  intend(partition: number, records: ReplayPart['pending']): Promise<void>;
  /**
   * The partition is done up to `next`.
   * @throws OmsError OMS_REPLAY_BUSY when another process has moved it, OMS_DATABASE_UNAVAILABLE
   */
  advance(partition: number, next: number, tallies: Tallies, effects: Tallies): Promise<void>;
  /** Ranges that hold nothing more to read are done, too. */
  complete(): Promise<void>;
}

export async function openTrack(db: Database, replayId: string): Promise<Track> {
  const parts = await readParts(db, replayId);
  const byPartition = new Map(parts.map((part) => [part.partition, part]));
  const redo = new Map(parts.flatMap((part) => part.pending.map((one) => [keyOf(part.partition, one[0]), one[1]])));
  const partOf = (partition: number): ReplayPart => {
    const part = byPartition.get(partition);
    if (!part) throw new Error(`the replay has no partition ${partition}`);
    return part;
  };
  const save = async (part: ReplayPart): Promise<void> => {
    const before = partOf(part.partition);
    const saved = await orUnavailable(saveProgress(db, replayId, part, before.next));
    if (!saved) throw new OmsError('OMS_REPLAY_BUSY', `replay ${replayId} is run by another process`);
    Object.assign(before, part);
  };
  return {
    parts: () => parts,
    judgedBefore: (partition, offset) => redo.get(keyOf(partition, offset)),
    intend: async (partition, records) => {
      if (records.length === 0) return;
      // What a dead process had begun and this chunk does not reach stays noted.
      const last = records.at(-1)?.[0] ?? 0;
      const later = partOf(partition).pending.filter(([offset]) => offset > last);
      await orUnavailable(savePending(db, replayId, partition, [...records, ...later]));
    },
    advance: async (partition, next, tallies, effects) => {
      const part = partOf(partition);
      const pending = part.pending.filter(([offset]) => offset >= next);
      const sums = { tallies: sumOf([part.tallies, tallies]), effects: sumOf([part.effects, effects]) };
      await save({ ...part, ...sums, next, pending });
    },
    complete: async () => {
      for (const part of parts) if (part.next < part.end) await save({ ...part, next: part.end, pending: [] });
    },
  };
}

const keyOf = (partition: number, offset: number): string => `${partition}/${offset}`;

async function orUnavailable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw databaseError(error);
  }
}

/** Everything done so far. */
export function standOf(parts: readonly ReplayPart[]) {
  const tallies = sumOf(parts.map((part) => part.tallies));
  const effects = sumOf(parts.map((part) => part.effects));
  const total = parts.reduce((sum, { from, end }) => sum + end - from, 0);
  const done = parts.reduce((sum, { from, next }) => sum + next - from, 0);
  return { tallies, effects, total, done };
}

export function tallied(names: Iterable<string>): Tallies {
  const tallies: Tallies = {};
  for (const name of names) count(tallies, name);
  return tallies;
}
