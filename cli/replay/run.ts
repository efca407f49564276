import type { ReplayPart } from '../../database/replays/replay-parts.ts';
import type { Replay } from '../../database/replays/replays.ts';
import { EXIT_CODES } from '../../platform/exit-codes.ts';
import { print, printJson } from '../output.ts';

export interface RunFlags {
  json?: boolean;
  by: string;
}

/** Runs a replay in the foreground until it is finished, paused or aborted, and says what came of it. */
export async function runInForeground(replayId: string, flags: RunFlags): Promise<void> {
  const { withReplaySession } = await import('./session.ts');
  const { runReplay } = await import('../../operations/replay/run.ts');
  const { readParts } = await import('../../database/replays/replay-parts.ts');
  const { standOf } = await import('../../operations/replay/track.ts');
  const { viewOfParts } = await import('./progress-view.ts');
  const json = flags.json ?? false;
  const { replay, parts: end } = await withReplaySession(async (parts, signal) => {
    const view = viewOfParts('replay', await readParts(parts.db, replayId), json);
    try {
      const onProgress = (now: readonly ReplayPart[]): void => view.to(standOf(now), now);
      const { by } = flags;
      const run = await runReplay(parts, { replayId, by, onProgress, onWait: (why) => view.wait(why), signal });
      return { replay: run, parts: await readParts(parts.db, replayId) };
    } finally {
      view.end();
    }
  });
  await tell(replay, end, json);
}

async function tell(replay: Replay, parts: readonly ReplayPart[], json: boolean): Promise<void> {
  const { standText } = await import('./words.ts');
  const { goneOf, standOf } = await import('../../operations/replay/track.ts');
  const { replayId, state } = replay;
  // Whoever waits for the end of the range must not take a pause for it.
  if (state !== 'finished') process.exitCode = EXIT_CODES.failed;
  if (json) return printJson({ replayId, state, ...standOf(parts), gone: goneOf(replay, parts), partitions: parts });
  print(`replay ${replayId} is ${state}: ${standText(replay, parts)}`);
  if (state === 'paused') print(`It goes on with \`oms replay resume ${replayId}\`.`);
}
