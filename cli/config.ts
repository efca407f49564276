import { Command } from 'commander';
import { cliConfig } from '../local/settings.ts';
import { shownConfig } from '../platform/config/load.ts';
import { examples, printResult, table } from './output.ts';

/** `oms config show` */
export function createCommand(): Command {
  return new Command()
    .addHelpText('after', examples('oms config show', 'OMS_PREFIX=test. oms config show --json'))
    .action(async (options: { json?: boolean }) => {
      const shown = shownConfig(await cliConfig());
      const rows = Object.entries(shown).map(([name, value]) => [name, String(value)]);
      printResult(options, shown, () => table(['SETTING', 'VALUE'], rows));
    });
}
