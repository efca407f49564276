import { Command } from 'commander';
import type { Operator } from '../../database/decisions.ts';
import { assertOrderId } from '../../domain/ids.ts';
import { cliConfig } from '../../local/settings.ts';
import { withCommandResources } from '../../resources/clients.ts';
import { decidedBy, operatorOf } from '../options.ts';
import { examples, printResult } from '../output.ts';

/** `oms orders recover ID` */
export function createCommand(): Command {
  return decidedBy(new Command())
    .argument('<id>', 'order id')
    .option('--cancel', 'give up what can still be had back, instead of going on')
    .addHelpText(
      'after',
      '\nFor an order whose workflow was terminated, or lost with the database of Temporal: it gets a new run, which goes\n' +
        'on from what the database holds. Nothing is charged or shipped again.',
    )
    .addHelpText(
      'after',
      examples(
        "oms orders recover 536365 --why 'terminated by mistake'",
        "oms orders recover 536365 --cancel --why 'nobody wants it' --json",
      ),
    )
    .action(recover);
}

interface RecoverFlags extends Operator {
  json?: boolean;
  cancel?: boolean;
}

async function recover(id: string, flags: RecoverFlags): Promise<void> {
  const orderId = assertOrderId(id, 'order id', 'OMS_CLI_USAGE');
  const config = await cliConfig();
  const { recoverByOperator } = await import('../../operations/stuck/recovery.ts');
  const { stuckParts } = await import('../../operations/stuck/parts.ts');
  const then = flags.cancel ? 'cancels' : 'goes on';
  const recovered = await withCommandResources(config, async (resources) =>
    recoverByOperator(await stuckParts(resources), operatorOf(flags), orderId, then),
  );
  printResult(flags, recovered, () => `Order ${orderId} (its run was ${recovered.was}) has a new run, which ${then}.`);
}
