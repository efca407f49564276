import { sql } from 'kysely';
import type { Database } from './database.ts';
import type { ReplaysTable } from './tables.ts';

export type ReplayMode = ReplaysTable['mode'];
export type ReplayState = ReplaysTable['state'];

/** Counts by name: of what records were, or of what was done. */
export type Tallies = Record<string, number>;

/** A record of which a replay tells, so that an operator can look at it. */
export interface Sample {
  orderId: string | null;
  eventId: string | null;
  partition: number;
  offset: number;
  /** The error's code, for what is refused. */
  code?: string;
  message?: string;
}

/** What a plan came across. */
export interface Planned {
  records: number;
  tallies: Tallies;
  samples: Record<string, Sample[]>;
  seconds: number;
}

/** What was asked for; fixed when it is planned. */
export interface ReplayOptions {
  /** The topic that is read, without prefix; `outbox` for events that are told again. */
  from: string;
  /** Record times of the range, ms since the epoch: from (included) to (excluded). */
  fromTime: number | null;
  toTime: number | null;
  /** Only these orders; null = all. */
  orderIds: string[] | null;
  /** Only these types of event; null = all. */
  types: string[] | null;
  /** Of the outbox only events of these topics, without prefix. */
  topics: string[] | null;
  /** Effects a second at most: orders started, events told or sent; 0 = no limit. */
  rate: number;
  /** The replay waits while so many tasks wait for a worker, or so many records for ingest (or events for the publisher); 0 = never. */
  maxBacklog: number;
  maxLag: number;
  /** Take as new what neither the ledger nor Temporal can tell to be new. */
  allowStale: boolean;
  /** The topic events are sent to; null = those they came from. */
  to: string | null;
}

export interface Replay {
  replayId: string;
  mode: ReplayMode;
  state: ReplayState;
  options: ReplayOptions;
  planned: Planned | null;
  requestedBy: string;
  reason: string;
  createdAt: Date;
  startedAt: Date | null;
  endedAt: Date | null;
}

/** The range of one partition, and how far it is done. */
export interface ReplayPart {
  partition: number;
  from: number;
  /** Excluded. */
  end: number;
  next: number;
  tallies: Tallies;
  effects: Tallies;
  /** Records being worked on when the progress was last written, by offset, and what they were judged to be. */
  pending: [offset: number, judged: string][];
}

export interface ReplayAction {
  action: string;
  doneBy: string;
  detail: string | null;
  at: Date;
}

export interface NewReplay {
  replayId: string;
  mode: ReplayMode;
  options: ReplayOptions;
  requestedBy: string;
  reason: string;
  ranges: readonly { partition: number; from: number; end: number }[];
}

/** Writes a replay down that is being planned, with its ranges as they stand now. */
export async function insertReplay(tx: Database, replay: NewReplay): Promise<void> {
  const { replayId, mode, requestedBy: requested_by, reason } = replay;
  await tx
    .insertInto('replays')
    .values({
      replay_id: replayId,
      ...{ mode, requested_by, reason },
      state: 'planning',
      options: JSON.stringify(replay.options),
    })
    .execute();
  const parts = replay.ranges.map(({ partition, from, end }) => ({
    replay_id: replayId,
    partition,
    from_offset: from,
    end_offset: end,
    next_offset: from,
    tallies: '{}',
    effects: '{}',
  }));
  if (parts.length > 0) await tx.insertInto('replay_parts').values(parts).execute();
}

/** The plan is complete: what it came across. */
export async function savePlan(db: Database, replayId: string, planned: Planned): Promise<void> {
  await db
    .updateTable('replays')
    .set({ planned: JSON.stringify(planned), state: 'planned', updated_at: sql`clock_timestamp()` })
    .where('replay_id', '=', replayId)
    .execute();
}

function replayFrom(row: {
  replay_id: string;
  mode: ReplayMode;
  state: ReplayState;
  options: unknown;
  planned: unknown;
  requested_by: string;
  reason: string;
  created_at: Date;
  started_at: Date | null;
  ended_at: Date | null;
}): Replay {
  return {
    replayId: row.replay_id,
    mode: row.mode,
    state: row.state,
    options: row.options as ReplayOptions,
    planned: row.planned as Planned | null,
    requestedBy: row.requested_by,
    reason: row.reason,
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
  };
}

export async function readReplay(db: Database, replayId: string): Promise<Replay | undefined> {
  const row = await db.selectFrom('replays').selectAll().where('replay_id', '=', replayId).executeTakeFirst();
  return row && replayFrom(row);
}

/** Newest first. */
export async function listReplays(db: Database, limit: number): Promise<Replay[]> {
  const rows = await db.selectFrom('replays').selectAll().orderBy('created_at', 'desc').limit(limit).execute();
  return rows.map(replayFrom);
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

/** Moves a replay on from one of the states given; false when it is in another. */
export async function moveReplay(
  tx: Database,
  replayId: string,
  from: readonly ReplayState[],
  to: ReplayState,
): Promise<boolean> {
  const { rows } = await sql`
    update replays set state = ${to}, updated_at = clock_timestamp(),
      started_at = case when ${to} = 'running' then coalesce(started_at, clock_timestamp()) else started_at end,
      ended_at = case when ${to} in ('finished', 'aborted') then clock_timestamp() end
    where replay_id = ${replayId} and state = any(${[...from]}::text[]) returning replay_id
  `.execute(tx);
  return rows.length > 0;
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
