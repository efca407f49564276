import { sql } from 'kysely';
import { OUTBOX_MODES } from '../../domain/replay-modes.ts';
import type { ReplayMode } from '../../domain/replay-modes.ts';
import { replayState } from '../database.ts';
import type { Database } from '../database.ts';
import type { ReplaysTable } from '../tables/replays.ts';
import { insertParts } from './replay-parts.ts';
import type { FrozenRange, Tallies } from './replay-parts.ts';

export type ReplayState = ReplaysTable['state'];

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
  /** The topic that is read, without prefix if it is one of ours; `outbox` for events that are told again. */
  from: string;
  /** Record times of the range, ms since the epoch: from (included) to (excluded). */
  fromTime: number | null;
  toTime: number | null;
  /** Only these orders; null = all. */
  orderIds: string[] | null;
  /** Only records with these keys, shipment ids or SKUs; null or absent = all. */
  keys?: string[] | null;
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

export interface NewReplay {
  replayId: string;
  mode: ReplayMode;
  options: ReplayOptions;
  requestedBy: string;
  reason: string;
  ranges: readonly FrozenRange[];
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
  await insertParts(tx, replay.replayId, replay.ranges);
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

/** Moves a replay on from one of the states given; false when it is in another. */
export async function moveReplay(
  tx: Database,
  replayId: string,
  from: readonly ReplayState[],
  to: ReplayState,
): Promise<boolean> {
  const { rows } = await sql`
    update replays set state = ${to}, updated_at = clock_timestamp(),
      started_at = case when ${to} = ${replayState('running')} then coalesce(started_at, clock_timestamp()) else started_at end,
      ended_at = case when ${to} in (${replayState('finished', 'aborted')}) then clock_timestamp() end
    where replay_id = ${replayId} and state = any(${[...from]}::text[]) returning replay_id
  `.execute(tx);
  return rows.length > 0;
}

/** Whether a replay tells, or told, events on this topic. */
export async function isTarget(db: Database, topic: string): Promise<boolean> {
  const { rows } = await sql`
    select from replays where mode = any(${OUTBOX_MODES}::text[]) and options ->> 'to' = ${topic} limit 1
  `.execute(db);
  return rows.length > 0;
}

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
