import { Command } from 'commander';
import { examples } from './output.ts';
import { changeState } from './replay/change.ts';

/** `oms replay pause ID` */
export function createCommand(): Command {
  return new Command()
    .argument('<id>', 'replay id')
    .option('--by <name>', 'who (default: user@host)')
    .addHelpText(
      'after',
      '\nThe process that runs it finishes what is in hand and ends; \`oms replay resume\` goes on.',
    )
    .addHelpText('after', examples('oms replay pause 20260302-1a2b3c'))
    .action((id: string, flags: { json?: boolean; by?: string }) => changeState('pause', id, flags));
}
