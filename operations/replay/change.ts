import { dropDrafts } from '../../database/replays/replay-notes.ts';
import { moveReplay, noteAction, readReplay } from '../../database/replays/replays.ts';
import type { Replay, ReplayState } from '../../database/replays/replays.ts';
import { OmsError } from '../../domain/errors.ts';
import type { ReplayParts } from './parts.ts';
import { required } from './plan.ts';

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
export function wrongState({ replayId, state }: Replay, what: string): OmsError {
  return new OmsError('OMS_REPLAY_STATE', `replay ${replayId} is ${state}: it cannot be ${PARTICIPLES[what] ?? what}`);
}

const PARTICIPLES: Record<string, string> = { run: 'run', pause: 'paused', abort: 'aborted' };
