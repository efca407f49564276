import { Command } from 'commander';
import { OmsError } from '../../domain/errors.ts';
import { orderWorkflowId } from '../../domain/ids.ts';
import { cliConfig } from '../../local/settings.ts';
import { readStack } from '../../local/state-file.ts';
import type { OrderView, TimelineEntry } from '../../orders/record/order-view.ts';
import type { Config } from '../../platform/config/settings.ts';
import { withDatabase } from '../../resources/clients.ts';
import { shownLetter } from '../dlq/ls.ts';
import { examples, money, printResult, shownDecision, table } from '../output.ts';

/** `oms orders show ID` */
export function createCommand(): Command {
  return new Command()
    .argument('<id>', 'order id')
    .addHelpText('after', examples('oms orders show 536365', 'oms orders show 536365 --json'))
    .action(async (orderId: string, flags: { json?: boolean }) => {
      const { decisionsAbout } = await import('../../database/decisions.ts');
      const { listDeadLetters } = await import('../../database/dead-letters.ts');
      const { readOrderView } = await import('../../orders/record/order-view.ts');
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

/** Everything `oms orders show` knows of an order. An order that was only ever refused has nothing but dead letters. */
type ShownOrder = Partial<OrderView> & {
  orderId: string;
  deadLetters: ReturnType<typeof shownLetter>[];
  /** What operators decided about it, oldest first. */
  decisions: ReturnType<typeof shownDecision>[];
  links: { workflowId: string | null; workflow: string | null };
};

/** An order for people: how it stands, its parts, and what happened, in order. */
function orderText(shown: ShownOrder): string {
  return [heading(shown), items(shown), fulfillments(shown), timeline(shown), refusals(shown), links(shown)]
    .filter((part) => part !== '')
    .join('\n\n');
}

const time = (at: number | Date): string => new Date(at).toISOString().replace('T', ' ').replace('Z', '');

function heading({ orderId, order, ledger }: ShownOrder): string {
  if (order) {
    const { status, reason, source, customerId, receivedAt, closedAt, overdue } = order;
    const late = overdue ? `, overdue: ${overdue === 'shipBy' ? 'to be shipped' : 'to be delivered'}` : '';
    const ended = closedAt ? `, ended ${time(closedAt)} after ${((closedAt - receivedAt) / 1_000).toFixed(1)} s` : '';
    return [
      `Order ${orderId}: ${status}${reason ? ` (${reason})` : ''}`,
      `customer ${customerId}, from ${source}, placed ${time(order.placedAt)}`,
      `received ${time(receivedAt)}${ended}${late}`,
    ].join('\n');
  }
  if (!ledger) return `Order ${orderId}: refused`;
  const waits = ledger.state === 'awaited' ? 'events are waiting for it' : 'no worker has taken it yet';
  return `Order ${orderId}: ${ledger.state} (${waits})`;
}

const SHOWN_ITEMS = 10;

function items({ items: lines = [], order }: ShownOrder): string {
  if (lines.length === 0) return '';
  const rows = lines
    .slice(0, SHOWN_ITEMS)
    .map(({ sku, quantity, unitPrice, description }) => [
      quantity,
      sku,
      unitPrice === null ? 'price list' : money(unitPrice),
      description,
    ]);
  const more = lines.length > SHOWN_ITEMS ? `\n… and ${lines.length - SHOWN_ITEMS} more lines` : '';
  return table(['PIECES', 'SKU', order?.currency ?? 'PRICE', 'DESCRIPTION'], rows) + more;
}

function fulfillments({ fulfillments: parts = [], order }: ShownOrder): string {
  if (parts.length === 0) return '';
  const rows = parts.map(({ id, warehouse, status, reason, items: lines, invoice, creditNotes, payment, shipment }) => [
    id,
    warehouse ?? '-',
    reason ? `${status} (${reason})` : status,
    lines.reduce((sum, { quantity }) => sum + quantity, 0),
    invoice ? `${invoice.invoiceId} ${money(invoice.total)} ${order?.currency ?? ''}` : '-',
    creditNotes.map(({ creditNoteId, total }) => `${creditNoteId} ${money(total)}`).join(', ') || '-',
    payment?.status ?? '-',
    shipment?.status ?? '-',
    shipment?.trackingNumber ?? '-',
  ]);
  return table(
    ['FULFILLMENT', 'WAREHOUSE', 'STATUS', 'PIECES', 'INVOICE', 'CREDITED', 'PAYMENT', 'SHIPMENT', 'TRACKING'],
    rows,
  );
}

/** Incoming events, carriers' news, decisions of operators and outgoing events in one list, by time. */
function timeline({ timeline: told = [], incoming = [], news = [], decisions }: ShownOrder): string {
  const rows = [
    ...decisions.map(({ at, action, who, why, doneAt }) => ({
      at,
      row: ['→', `operator: ${action}`, who, doneAt ? why : `${why} (not carried out yet)`],
    })),
    ...incoming.map(({ at, type, eventId, outcome, reason }) => ({
      at,
      row: ['→', type, eventId, reason ? `${outcome}: ${reason}` : outcome],
    })),
    ...news.map(({ at, status, shipmentId, applied, detail }) => ({
      at,
      row: [
        '→',
        `carrier: ${status}`,
        shipmentId,
        [applied ? 'taken in' : 'changes nothing', detail].filter(Boolean).join(': '),
      ],
    })),
    ...told.map((entry) => ({
      at: entry.at,
      row: ['←', entry.type, entry.eventId, `${sending(entry)}, by ${entry.cause}`],
    })),
  ].toSorted((a, b) => a.at.getTime() - b.at.getTime());
  if (rows.length === 0) return '';
  return table(
    ['WHEN', '', 'EVENT', 'EVENT ID', ''],
    rows.map(({ at, row }) => [time(at), ...row]),
  );
}

function sending({ topic, version, sentAt, heldReason }: TimelineEntry): string {
  const state = sentAt ? '' : heldReason ? ` held back: ${heldReason}` : ' not sent yet';
  return `${topic} v${version}${state}`;
}

function refusals({ deadLetters }: ShownOrder): string {
  if (deadLetters.length === 0) return '';
  return table(
    ['REFUSED', 'CODE', 'WHY', 'DEAD LETTER'],
    deadLetters.map(({ createdAt, code, message, id }) => [
      time(createdAt),
      code,
      message.slice(0, 100),
      id.slice(0, 12),
    ]),
  );
}

function links({ links: { workflowId, workflow } }: ShownOrder): string {
  if (!workflowId) return '';
  return workflow ? `Workflow: ${workflow}` : `Workflow: ${workflowId} (TEMPORAL_UI_URL makes it a link)`;
}
