import { Command } from 'commander';
import { cliConfig } from '../local/settings.ts';
import { withDatabase } from '../resources/clients.ts';
import { operatorName } from './operator.ts';
import { wordsOption } from './options.ts';
import { examples, printResult } from './output.ts';
import { runInForeground } from './replay/run.ts';
import type { RunFlags } from './replay/run.ts';

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
  const { changeReplay } = await import('../operations/replay/run.ts');
  const replay = await withDatabase(await cliConfig(), (db) => changeReplay({ db }, replayId, what, flags.by));
  printResult(flags, { replayId, state: replay.state }, () => `replay ${replayId} is ${replay.state}`);
}
