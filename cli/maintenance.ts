import { Command } from 'commander';
import { cliConfig } from '../local/settings.ts';
import { withDatabase } from '../resources/clients.ts';
import { examples, printResult } from './output.ts';

export const on = { createCommand: () => createSwitch('on') };
export const off = { createCommand: () => createSwitch('off') };
export const show = { createCommand: () => createSwitch('show') };

/** `oms maintenance on | off | show`: switches, or only looks. */
function createSwitch(to: 'on' | 'off' | 'show'): Command {
  return new Command()
    .addHelpText('after', examples(`oms maintenance ${to}`))
    .action(async (flags: { json?: boolean }) => {
      const { isMaintenance, setMaintenance } = await import('../orders/money/spend.ts');
      const maintenance = await withDatabase(await cliConfig(), async (db) => {
        if (to !== 'show') await setMaintenance(db, to === 'on');
        return isMaintenance(db);
      });
      printResult(flags, { maintenance }, () =>
        maintenance ? 'on: payments are held, orders wait' : 'off: payments are taken',
      );
    });
}
