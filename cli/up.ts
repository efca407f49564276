import { Command } from 'commander';
import { examples } from './output.ts';
import type { UpFlags } from './up/flags.ts';

/** `oms up` */
export function createCommand(): Command {
  return new Command()
    .option('--no-demo', 'do not feed the example orders')
    .option('--stack-only', 'only Kafka, registry, Temporal and PostgreSQL: no set-up, no roles, no demo')
    .option('--ephemeral', 'on free ports and in a temporary directory that is removed at the end')
    .addHelpText('after', examples('oms up', 'oms up --no-demo', 'OMS_KAFKA_PORT=19092 oms up', 'oms up --ephemeral'))
    .action(async (flags: UpFlags) => {
      const { upInForeground } = await import('./up/run-up.ts');
      await upInForeground(flags);
    });
}
