import { orUnavailable, transaction } from '../../database/database.ts';
import type { Database } from '../../database/database.ts';
import { assertNotesKept, beginNotes, dropDrafts, hasBegun } from '../../database/replays/replay-notes.ts';
import { hasMoved, readParts, resetParts, savePending, saveProgress } from '../../database/replays/replay-parts.ts';
import type { ReplayPart, Tallies } from '../../database/replays/replay-parts.ts';
import { noteAction } from '../../database/replays/replays.ts';
import type { Planned, Replay, Sample } from '../../database/replays/replays.ts';
import { OmsError, isOmsError } from '../../domain/errors.ts';
import { replayRules } from '../../domain/replay-modes.ts';

/** What was known of a record before it was begun with. */
export interface Begun {
  is: string;
  hadLetter: boolean;
}

export interface Advance {
  tallies: Tallies;
  effects: Tallies;
  keep?: (tx: Database) => Promise<void>;
}

/** How far a replay is, in the database before it is anywhere else. */
export interface Track {
  parts(): readonly ReplayPart[];
  /** Of a record that was about to be done when the process died; undefined for all others. */
  begun(partition: number, offset: number): Begun | undefined;
  /** These records are about to be done. @throws OmsError OMS_DATABASE_UNAVAILABLE */
  intend(partition: number, records: ReplayPart['pending']): Promise<void>;
  /**
   * The partition is done up to `next`; `keep` is written in the same transaction.
   * @throws OmsError OMS_REPLAY_BUSY when another process has moved it, OMS_DATABASE_UNAVAILABLE
   */
  advance(partition: number, next: number, done: Advance): Promise<void>;
  /** Ranges that hold nothing more to read are done, too. */
  complete(): Promise<void>;
}

export async function openTrack(db: Database, replayId: string): Promise<Track> {
  const parts = await readParts(db, replayId);
  const byPartition = new Map(parts.map((part) => [part.partition, part]));
  const redo = new Map(
    parts.flatMap((part) =>
      part.pending.map(([offset, is, hadLetter = false]) => [keyOf(part.partition, offset), { is, hadLetter }]),
    ),
  );
  const partOf = (partition: number): ReplayPart => {
    const part = byPartition.get(partition);
    if (!part) throw new Error(`the replay has no partition ${partition}`);
    return part;
  };
  const save = async (part: ReplayPart, keep?: Advance['keep']): Promise<void> => {
    const before = partOf(part.partition);
    const write = async (tx: Database): Promise<boolean> => {
      const isOurs = await saveProgress(tx, replayId, part, before.next);
      if (isOurs) await keep?.(tx);
      return isOurs;
    };
    const saved = await (keep ? transaction(db, write) : orUnavailable(write(db)));
    if (!saved) throw new OmsError('OMS_REPLAY_BUSY', `replay ${replayId} is run by another process`);
    Object.assign(before, part);
  };
  return {
    parts: () => parts,
    begun: (partition, offset) => redo.get(keyOf(partition, offset)),
    intend: async (partition, records) => {
      if (records.length === 0) return;
      // What a dead process had begun and this chunk does not reach stays noted.
      const last = records.at(-1)?.[0] ?? 0;
      const later = partOf(partition).pending.filter(([offset]) => offset > last);
      await orUnavailable(savePending(db, replayId, partition, [...records, ...later]));
    },
    advance: async (partition, next, { tallies, effects, keep }) => {
      const part = partOf(partition);
      const pending = part.pending.filter(([offset]) => offset >= next);
      const sums = { tallies: sumOf([part.tallies, tallies]), effects: sumOf([part.effects, effects]) };
      await save({ ...part, ...sums, next, pending }, keep);
    },
    complete: async () => {
      for (const part of parts) if (part.next < part.end) await save({ ...part, next: part.end, pending: [] });
    },
  };
}

const keyOf = (partition: number, offset: number): string => `${partition}/${offset}`;

/** Everything done so far. */
export function standOf(parts: readonly ReplayPart[]) {
  const tallies = sumOf(parts.map((part) => part.tallies));
  const effects = sumOf(parts.map((part) => part.effects));
  const total = parts.reduce((sum, { from, end }) => sum + end - from, 0);
  const done = parts.reduce((sum, { from, next }) => sum + next - from, 0);
  return { tallies, effects, total, done };
}

/**
 * Records of the plan that a finished run did not find on the topic any more: retention, compaction or somebody has deleted
 * them in between. Of events told again from the outbox there are none.
 */
export function goneOf({ mode, state, planned }: Replay, parts: readonly ReplayPart[]): number {
  if (replayRules(mode).reads === 'outbox' || state !== 'finished' || !planned) return 0;
  return Math.max(0, planned.records - totalOf(standOf(parts).tallies));
}

export function tallied(names: Iterable<string>): Tallies {
  const tallies: Tallies = {};
  for (const name of names) count(tallies, name);
  return tallies;
}

/** Samples kept of each class. */
const SAMPLES = 10;

export function count(tallies: Tallies, name: string, by = 1): void {
  tallies[name] = (tallies[name] ?? 0) + by;
}

/** The sums of several tallies. */
function sumOf(all: readonly Tallies[]): Tallies {
  const sums: Tallies = {};
  for (const tallies of all) for (const [name, by] of Object.entries(tallies)) count(sums, name, by);
  return sums;
}

export function totalOf(tallies: Tallies): number {
  return Object.values(tallies).reduce((total, by) => total + by, 0);
}

/** Keeps the first samples of each class. */
export function keepSample(samples: Planned['samples'], name: string, sample: () => Sample): void {
  const kept = (samples[name] ??= []);
  if (kept.length < SAMPLES) kept.push(sample());
}

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
function beginDryRun(db: Database, replayId: string, by: string): Promise<void> {
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
