import { Command } from 'commander';
import { examples } from './output.ts';
import { runInForeground } from './replay/run.ts';

/** `oms replay resume ID` */
export function createCommand(): Command {
  return new Command()
    .argument('<id>', 'replay id, as `oms replay plan` gave it')
    .option('--by <name>', 'who (default: user@host)')
    .addHelpText('after', ABOUT)
    .addHelpText('after', examples('oms replay resume 20260302-1a2b3c', 'oms replay resume 20260302-1a2b3c --json'))
    .action(runInForeground);
}

const ABOUT = `
Goes on with a replay that was paused, or whose process died, from where it stood.`;
