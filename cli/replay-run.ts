import { Command } from 'commander';
import { examples } from './output.ts';
import { runInForeground } from './replay/run.ts';

/** `oms replay run ID` */
export function createCommand(): Command {
  return new Command()
    .argument('<id>', 'replay id, as `oms replay plan` gave it')
    .option('--by <name>', 'who (default: user@host)')
    .addHelpText('after', ABOUT)
    .addHelpText('after', examples('oms replay run 20260302-1a2b3c', 'oms replay run 20260302-1a2b3c --json'))
    .action(runInForeground);
}

const ABOUT = `
Runs until the range is done. Ctrl-C, SIGTERM and \`oms replay pause\` pause it, \`oms replay abort\` ends it; after a crash,
run it again: it goes on from where it stood. Running a finished replay does nothing.`;
