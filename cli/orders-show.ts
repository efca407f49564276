import { Command } from 'commander';
import { OmsError } from '../domain/errors.ts';
import { orderWorkflowId } from '../domain/ids.ts';
import { cliConfig } from '../local/settings.ts';
import { readStack } from '../local/state-file.ts';
import type { Config } from '../platform/config/settings.ts';
import { withDatabase } from '../resources/clients.ts';
import { shownLetter } from './dlq-ls.ts';
import { shownDecision } from './operator.ts';
import { orderText } from './orders/order-text.ts';
import { examples, printResult } from './output.ts';

/** `oms orders show ID` */
export function createCommand(): Command {
  return new Command()
    .argument('<id>', 'order id')
    .addHelpText('after', examples('oms orders show 536365', 'oms orders show 536365 --json'))
    .action(async (orderId: string, flags: { json?: boolean }) => {
      const { decisionsAbout } = await import('../database/decisions.ts');
      const { listDeadLetters } = await import('../database/dead-letters.ts');
      const { readOrderView } = await import('../orders/record/order-view.ts');
      const config = await cliConfig();
      const { view, letters, decisions } = await withDatabase(config, async (db) => ({
        view: await readOrderView(db, orderId),
        letters: await listDeadLetters(db, { orderId }),
        decisions: await decisionsAbout(db, 'order', orderId),
      }));
      if (!view && letters.length === 0) {
        throw new OmsError('OMS_ORDER_UNKNOWN', `no order ${orderId} is known; was it produced, and does ingest run?`);
      }
      const workflowId = view ? orderWorkflowId(orderId) : null;
      const links = {
        workflowId,
        workflow: workflowId && (await workflowUrl(config, workflowId, view?.ledger?.runId)),
      };
      const shown = {
        ...{ orderId, ...view, deadLetters: letters.map(shownLetter) },
        ...{ decisions: decisions.map(shownDecision), links },
      };
      printResult(flags, shown, () => orderText(shown));
    });
}

/** Where Temporal's UI shows a workflow; null when no UI is known: TEMPORAL_UI_URL, else that of the local stack. */
async function workflowUrl(
  config: Config,
  workflowId: string,
  runId: string | null | undefined,
): Promise<string | null> {
  const base = config.TEMPORAL_UI_URL || (await localUi(config));
  if (!base) return null;
  const execution = [workflowId, ...(runId ? [runId] : [])].map(encodeURIComponent).join('/');
  return `${base.replace(/\/+$/, '')}/namespaces/${config.TEMPORAL_NAMESPACE}/workflows/${execution}`;
}

/** Only where the local stack's Temporal is the one we are talking to. */
async function localUi(config: Config): Promise<string | undefined> {
  const endpoints = (await readStack(config.OMS_STATE_DIR))?.endpoints;
  return endpoints?.temporalAddress === config.TEMPORAL_ADDRESS ? endpoints.temporalUiUrl : undefined;
}
