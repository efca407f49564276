import { databaseError } from '../../database/database.ts';
import { storable } from '../../database/ledger/records.ts';
import { withReplayLock } from '../../database/replays/replay-lock.ts';
import { dropDrafts } from '../../database/replays/replay-notes.ts';
import type { ReplayPart } from '../../database/replays/replay-parts.ts';
import { moveReplay, noteAction, readReplay } from '../../database/replays/replays.ts';
import type { Replay, ReplayState } from '../../database/replays/replays.ts';
import { OmsError, isOmsError } from '../../domain/errors.ts';
import { replayRules } from '../../domain/replay-modes.ts';
import type { Publisher } from '../../kafka/producer/publisher.ts';
import { batchLimits } from '../../kafka/topics.ts';
import { noStep } from '../../orders/intake/step.ts';
import type { OnStep } from '../../orders/intake/step.ts';
import { every } from '../../platform/every.ts';
import type { ReplayParts } from './parts.ts';
import type { OnWait } from './patience.ts';
import { required } from './plan.ts';
import { createPace, pressureOf } from './pressure.ts';
import { runEvents } from './run-events.ts';
import { runRecords } from './run-records.ts';
import type { Run } from './run-records.ts';
import { sourceOf } from './sources.ts';
import type { Source } from './sources.ts';
import { ensureTarget } from './target.ts';
import { dryRun, openTrack } from './track.ts';

export interface RunRequest {
  replayId: string;
  /** Who runs it. */
  by: string;
  /** With each piece of progress, the parts as they then stand. */
  onProgress: (parts: readonly ReplayPart[]) => void;
  onWait: OnWait;
  /** Pauses it: what is in hand is finished, and a later run goes on from there. */
  signal: AbortSignal;
  /** Lets tests end it between two steps. */
  onStep?: OnStep;
}

const WATCH_MS = 500;

/**
 * Runs a planned replay, or goes on with one that was paused or whose process died, until it is finished, paused or
 * aborted. Running one that is finished does nothing.
 * @throws OmsError OMS_REPLAY_UNKNOWN, OMS_REPLAY_STATE, OMS_REPLAY_BUSY; what cannot be retried
 */
export async function runReplay(parts: ReplayParts, request: RunRequest): Promise<Replay> {
  const { db } = parts;
  const replay = required(await readReplay(db, request.replayId), request.replayId);
  if (replay.state === 'finished') return replay;
  const held = await withReplayLock(db, replay.replayId, () => runHeld(parts, replay, request));
  if (!held) throw new OmsError('OMS_REPLAY_BUSY', `replay ${replay.replayId} is run by another process`);
  return required(await readReplay(db, replay.replayId), replay.replayId);
}

async function runHeld(parts: ReplayParts, replay: Replay, request: RunRequest): Promise<void> {
  const { db } = parts;
  const { replayId } = replay;
  if (!(await moveReplay(db, replayId, ['planned', 'paused', 'running'], 'running'))) throw wrongState(replay, 'run');
  await noteAction(db, replayId, BEGINNINGS[replay.state] ?? 'run', request.by);
  const ending = new AbortController();
  const signal = AbortSignal.any([request.signal, ending.signal]);
  const watch = every(WATCH_MS, () => watchState(parts, replayId, ending));
  const work = (): Promise<void> => runRest(parts, replay, request, signal);
  try {
    await (replayRules(replay.mode).hasEffect ? work() : dryRun(db, replayId, request.by, work));
  } catch (error) {
    await noteFailure(parts, replayId, request.by, error).catch(() => undefined);
    throw error;
  } finally {
    await watch.stop();
  }
  if (!signal.aborted) {
    await moveReplay(db, replayId, ['running'], 'finished');
    await noteAction(db, replayId, 'finished', request.by);
    await dropDrafts(db, replayId);
  } else if (await moveReplay(db, replayId, ['running'], 'paused'))
    await noteAction(db, replayId, 'paused', request.by);
}

/** What cannot be retried stops it; mended, it can go on. */
async function noteFailure({ db }: ReplayParts, replayId: string, by: string, error: unknown): Promise<void> {
  await moveReplay(db, replayId, ['running'], 'paused');
  await noteAction(db, replayId, 'stopped', by, storable(error instanceof Error ? error.message : String(error)));
}

const BEGINNINGS: Partial<Record<ReplayState, string>> = {
  planned: 'run',
  paused: 'resumed',
  running: 'resumed after its process had died',
};

/** Somebody may have paused or aborted it. A database that does not answer changes nothing. */
async function watchState({ db }: ReplayParts, replayId: string, ending: AbortController): Promise<void> {
  const now = await readReplay(db, replayId).catch(() => undefined);
  if (now && now.state !== 'running') ending.abort(new Error(`replay ${replayId} was ${now.state}`));
}

async function runRest(parts: ReplayParts, replay: Replay, request: RunRequest, signal: AbortSignal): Promise<void> {
  const track = await openTrack(parts.db, replay.replayId);
  const source = replayRules(replay.mode).reads === 'outbox' ? undefined : sourceOf(parts, replay.mode, replay.options);
  const publisher = await parts.openPublisher({ maxBatchBytes: await batchLimitsOf(parts, replay) });
  const onAbort = (): void => void publisher.close({ graceMs: ABORT_GRACE_MS });
  signal.addEventListener('abort', onAbort, { once: true });
  const { onWait } = request;
  const run: Run = {
    ...{ parts, replay, track, onWait, signal },
    pace: createPace(replay.options.rate),
    pressure: pressureOf(parts, replay, source),
    onProgress: () => request.onProgress(track.parts()),
  };
  try {
    await (source ? runSource(run, source, publisher, request.onStep ?? noStep) : runEvents(run, publisher));
    if (!signal.aborted) await track.complete();
    run.onProgress();
  } catch (error) {
    const interrupted = error === signal.reason || (isOmsError(error) && error.retryable);
    if (!signal.aborted || !interrupted) throw databaseError(error);
  } finally {
    signal.removeEventListener('abort', onAbort);
    await publisher.close({ graceMs: ABORT_GRACE_MS });
  }
}

const ABORT_GRACE_MS = 5_000;

/** A dry run has no gate. */
function runSource(run: Run, source: Source, publisher: Publisher, onStep: OnStep): Promise<void> {
  const { mode, options } = run.replay;
  return runRecords(
    run,
    source,
    replayRules(mode).hasEffect ? source.gate?.({ ...run, publisher, options, onStep }) : undefined,
  );
}

/** The target of a re-emission is there from here on, and says how large a batch it takes. */
async function batchLimitsOf(parts: ReplayParts, { mode, options }: Replay): Promise<(topic: string) => number> {
  const limits = batchLimits(parts.config.OMS_PREFIX);
  if (replayRules(mode).reads !== 'outbox' || options.to === null) return limits;
  const { to } = options;
  const limit = await ensureTarget(parts, to);
  return (topic) => (topic === to ? limit : limits(topic));
}

/**
 * Pauses a replay that runs, or gives one up for good; whoever runs it notices.
 * @throws OmsError OMS_REPLAY_UNKNOWN, OMS_REPLAY_STATE
 */
export async function changeReplay(
  { db }: Pick<ReplayParts, 'db'>,
  replayId: string,
  change: 'pause' | 'abort',
  by: string,
): Promise<Replay> {
  const replay = required(await readReplay(db, replayId), replayId);
  const [from, to] = CHANGES[change];
  if (!(await moveReplay(db, replayId, from, to))) throw wrongState(replay, change);
  await noteAction(db, replayId, to, by);
  if (change === 'abort') await dropDrafts(db, replayId);
  return required(await readReplay(db, replayId), replayId);
}

const CHANGES = {
  pause: [['running'], 'paused'],
  abort: [['planning', 'planned', 'running', 'paused'], 'aborted'],
} as const satisfies Record<string, readonly [readonly ReplayState[], ReplayState]>;

/** That a replay's state forbids what is asked. */
function wrongState({ replayId, state }: Replay, what: string): OmsError {
  return new OmsError('OMS_REPLAY_STATE', `replay ${replayId} is ${state}: it cannot be ${PARTICIPLES[what] ?? what}`);
}

const PARTICIPLES: Record<string, string> = { run: 'run', pause: 'paused', abort: 'aborted' };
