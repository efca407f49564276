import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import { isReplayHeld } from '../../database/replays/replay-lock.ts';
import { readParts } from '../../database/replays/replay-parts.ts';
import type { Replay, ReplayOptions } from '../../database/replays/replays.ts';
import type { ReplayMode } from '../../domain/replay-modes.ts';
import { replayParts } from '../../operations/replay/parts.ts';
import { planReplay } from '../../operations/replay/plan.ts';
import type { OffsetSpan } from '../../operations/replay/ranges.ts';
import { runReplay } from '../../operations/replay/run.ts';
import type { RunRequest } from '../../operations/replay/run.ts';
import { standOf } from '../../operations/replay/track.ts';
import type { IngestStep } from '../../orders/intake/step.ts';
import { loadConfig } from '../../platform/config/load.ts';
import { replayResources } from '../../resources/profiles.ts';
import type { Resources } from '../../resources/resources.ts';
import { silent } from './order-world.ts';
import { spawnScript } from './spawned.ts';
import type { Spawned } from './spawned.ts';
import { waitFor } from './wait.ts';

const ALL: ReplayOptions = {
  from: 'orders',
  ...{ fromTime: null, toTime: null, orderIds: null, keys: null, types: null, topics: null, to: null },
  ...{ rate: 0, maxBacklog: 0, maxLag: 0, allowStale: false },
};

export interface Asked {
  mode?: ReplayMode;
  options?: Partial<ReplayOptions>;
  spans?: OffsetSpan[];
  live?: boolean;
}

const never = (): AbortSignal => new AbortController().signal;

const openResources = (environment: Record<string, string>): Resources =>
  replayResources(loadConfig(environment), { logger: silent, kafka: { retries: 5 } });

export async function plan(environment: Record<string, string>, asked: Asked = {}): Promise<Replay> {
  await using resources = openResources(environment);
  const { mode = 'start-missing', spans = null, live = false } = asked;
  const from = mode === 're-emit' ? 'outbox' : 'orders';
  const request = { mode, spans, live, options: { ...ALL, from, ...asked.options } };
  const watching = { onProgress: () => undefined, onWait: () => undefined, signal: never() };
  const parts = await replayParts(resources);
  return await planReplay(parts, { ...request, requestedBy: 'tester', reason: 'a test' }, watching);
}

export interface RunResult extends ReturnType<typeof standOf> {
  state: string;
  /** Why it waited. */
  waits: string[];
}

export async function run(
  environment: Record<string, string>,
  replayId: string,
  more: Partial<Pick<RunRequest, 'onStep' | 'signal' | 'onProgress' | 'onWait'>> = {},
): Promise<RunResult> {
  await using resources = openResources(environment);
  const waits: string[] = [];
  const request: RunRequest = {
    ...{ replayId, by: 'tester', signal: never(), onProgress: () => undefined },
    ...more,
    onWait: (reason) => {
      if (reason !== undefined) waits.push(reason);
      more.onWait?.(reason);
    },
  };
  const parts = await replayParts(resources);
  const { state } = await runReplay(parts, request);
  return { state, waits, ...standOf(await readParts(parts.db, replayId)) };
}

/** Where a replay is run by a process of its own. */
interface ReplayWorld {
  environment: Record<string, string>;
  db: Database;
}

/** How a run's process ended, and what it printed. */
export interface RunEnd {
  end: string;
  log: string;
}

/** Runs a replay in a process that kills itself at the end of a step, the n-th time; resolves with how it ended. */
export async function runUntilKilled(
  { environment, db }: ReplayWorld,
  replayId: string,
  killAt: IngestStep,
  times = 1,
): Promise<RunEnd> {
  const child = start(environment, replayId, { OMS_TEST_KILL_AT: `${killAt}:${times}` });
  const end = await child.gone;
  await untilLetGo(db, replayId);
  return { end, log: child.log() };
}

/** Runs a replay in a process that is killed as soon as it has done something and wants to write its progress down. */
export async function runUntilProgress({ environment, db }: ReplayWorld, replayId: string): Promise<RunEnd> {
  return db.transaction().execute(async (tx) => {
    await tx.selectFrom('replay_parts').selectAll().where('replay_id', '=', replayId).forUpdate().execute();
    const child = start(environment, replayId);
    await waitFor('the progress to be written', async () => {
      if (child.isGone()) throw new Error(`the run has ended: ${child.log()}`);
      const { rows } = await sql`
        select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
      `.execute(db);
      return rows.length > 0;
    });
    const end = await child.end('SIGKILL');
    // Its last statement still waits in the database, and would be done after all.
    await sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'
    `.execute(db);
    await untilLetGo(db, replayId);
    return { end, log: child.log() };
  });
}

/** PostgreSQL notices a moment later that the process which held the replay is gone. */
const untilLetGo = (db: Database, replayId: string): Promise<unknown> =>
  waitFor('the dead one to be forgotten', async () => !(await isReplayHeld(db, replayId)));

function start(environment: Record<string, string>, replayId: string, more: Record<string, string> = {}): Spawned {
  return spawnScript('replay-process.ts', { ...environment, ...more, OMS_TEST_REPLAY: replayId });
}
