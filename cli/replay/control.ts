import { Command } from 'commander';
import type { ReplayPart } from '../../database/replays/replay-parts.ts';
import type { Replay } from '../../database/replays/replays.ts';
import { cliConfig } from '../../local/settings.ts';
import { EXIT_CODES } from '../../platform/exit-codes.ts';
import { withDatabase } from '../../resources/clients.ts';
import { operatorName, wordsOption } from '../options.ts';
import { examples, print, printJson, printResult } from '../output.ts';

interface Control {
  word: 'run' | 'resume' | 'pause' | 'abort';
  about: string;
  action: (replayId: string, flags: RunFlags) => Promise<void>;
}

/** `oms replay run ID` */
export const run = control({
  word: 'run',
  about: `Runs until the range is done. Ctrl-C, SIGTERM and \`oms replay pause\` pause it, \`oms replay abort\` ends it; after a crash,
run it again: it goes on from where it stood. Running a finished replay does nothing.`,
  action: runInForeground,
});

/** `oms replay resume ID` */
export const resume = control({
  word: 'resume',
  about: 'Goes on with a replay that was paused, or whose process died, from where it stood.',
  action: runInForeground,
});

/** `oms replay pause ID` */
export const pause = control({
  word: 'pause',
  about: 'The process that runs it finishes what is in hand and ends; `oms replay resume` goes on.',
  action: (replayId, flags) => change('pause', replayId, flags),
});

/** `oms replay abort ID` */
export const abort = control({
  word: 'abort',
  about:
    'The process that runs it finishes what is in hand and ends; the replay can never go on. What it has done stays.',
  action: (replayId, flags) => change('abort', replayId, flags),
});

function control({ word, about, action }: Control): { createCommand(): Command } {
  const example = `oms replay ${word} 20260302-1a2b3c`;
  return {
    createCommand: () =>
      new Command()
        .argument('<id>', 'replay id, as `oms replay plan` gave it')
        .option('--by <name>', 'who', wordsOption, operatorName())
        .addHelpText('after', `\n${about}`)
        .addHelpText('after', examples(example, `${example} --json`))
        .action(action),
  };
}

/** Whoever runs it. */
async function change(what: 'pause' | 'abort', replayId: string, flags: RunFlags): Promise<void> {
  const { changeReplay } = await import('../../operations/replay/run.ts');
  const replay = await withDatabase(await cliConfig(), (db) => changeReplay({ db }, replayId, what, flags.by));
  printResult(flags, { replayId, state: replay.state }, () => `replay ${replayId} is ${replay.state}`);
}

interface RunFlags {
  json?: boolean;
  by: string;
}

/** Runs a replay in the foreground until it is finished, paused or aborted, and says what came of it. */
async function runInForeground(replayId: string, flags: RunFlags): Promise<void> {
  const { viewOfParts, withReplaySession } = await import('./foreground.ts');
  const { runReplay } = await import('../../operations/replay/run.ts');
  const { readParts } = await import('../../database/replays/replay-parts.ts');
  const { standOf } = await import('../../operations/replay/track.ts');
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
  const { standText } = await import('./text.ts');
  const { goneOf, standOf } = await import('../../operations/replay/track.ts');
  const { replayId, state } = replay;
  // Whoever waits for the end of the range must not take a pause for it.
  if (state !== 'finished') process.exitCode = EXIT_CODES.failed;
  if (json) return printJson({ replayId, state, ...standOf(parts), gone: goneOf(replay, parts), partitions: parts });
  print(`replay ${replayId} is ${state}: ${standText(replay, parts)}`);
  if (state === 'paused') print(`It goes on with \`oms replay resume ${replayId}\`.`);
}
