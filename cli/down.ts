import { Command } from 'commander';
import { cliConfig } from '../local/settings.ts';
import { examples, printResult } from './output.ts';

/** `oms down` */
export function createCommand(): Command {
  return new Command()
    .addHelpText('after', examples('oms down', 'OMS_STATE_DIR=/tmp/second oms down'))
    .action(async (flags: { json?: boolean }) => {
      const { stopStack } = await import('../local/stop.ts');
      const { OMS_STATE_DIR } = await cliConfig();
      const ended = await stopStack(OMS_STATE_DIR);
      printResult(flags, { ended }, () =>
        ended.length > 0 ? `Stopped: ${ended.join(', ')}.` : `Nothing runs in ${OMS_STATE_DIR}.`,
      );
    });
}
