import { decideAnew, endDecision } from '../../database/decisions.ts';
import type { Operator, StoredDecision } from '../../database/decisions.ts';
import { CAUSE_FORMS } from '../../domain/causes.ts';
import { OmsError } from '../../domain/errors.ts';
import { orderWorkflowId } from '../../domain/ids.ts';
import { MESSAGE_KINDS, MESSAGE_VERSION } from '../../domain/order-messages.ts';
import type { CancelMessage } from '../../domain/order-messages.ts';
import { temporalError } from '../../temporal/order-workflows.ts';
import type { OrderWorkflows, RunRecovery } from '../../temporal/order-workflows.ts';
import { STUCK_ACTIONS, stuckOrders } from './reasons.ts';
import type { StuckAction, StuckOptions, StuckOrder } from './reasons.ts';
import { recoverOrder } from './recovery.ts';

export interface ActOptions extends StuckOptions {
  workflows: OrderWorkflows & RunRecovery;
}

export interface ActionRequest {
  orderId: string;
  action: StuckAction;
  /** Recorded; why also stands in the order and its events. */
  by: Operator;
}

export interface Acted {
  orderId: string;
  action: StuckAction;
  /** What was done, in words. */
  done: string;
}

/**
 * The action that an operator names.
 * @throws OmsError OMS_ORDER_ACTION_REFUSED for one that is not offered on purpose, OMS_CLI_USAGE for one that is none
 */
export function stuckAction(word: string): StuckAction {
  const action = STUCK_ACTIONS.find((one) => one === word);
  if (action) return action;
  if (word !== 'skip')
    throw new OmsError('OMS_CLI_USAGE', `${word} is no action; there are ${STUCK_ACTIONS.join(', ')}`);
  const why = 'no step of an order is skipped: money, stock and events would no longer tell the same story';
  throw new OmsError('OMS_ORDER_ACTION_REFUSED', `${why}. \`oms orders stuck fail ID\` gives an order up`);
}

/**
 * Does what is right and safe for an order as it stands now:
 * - `retry`: the provider step that waits is tried now, its attempts counted anew; an order whose run is gone gets a new one.
 * - `cancel`: the order is called off as by a cancel from upstream, with all compensation.
 * - `fail`: the same, and it ends as `failed`: we could not carry it out.
 * Steps are never skipped: money, stock and events would no longer tell the same story.
 * @throws OmsError OMS_ORDER_UNKNOWN, OMS_ORDER_ACTION_REFUSED, OMS_TEMPORAL_UNAVAILABLE
 */
export async function actOnStuck(options: ActOptions, request: ActionRequest): Promise<Acted> {
  const { orderId, action } = request;
  const [order] = await stuckOrders(options, { olderThanMs: 0, orderId, limit: 1 });
  if (!order) throw new OmsError('OMS_ORDER_UNKNOWN', `no order ${orderId} is known`);
  if (!order.actions.includes(action)) throw refused(order, action);
  const decision = await decideAnew(options.db, request.by, { kind: 'order', subject: orderId, action });
  const done = await act(options, order, request, decision);
  await endDecision(options.db, decision.id, { done });
  return { orderId, action, done };
}

function refused({ orderId, status, reason, actions }: StuckOrder, action: string): OmsError {
  const possible = actions.length > 0 ? `possible now: ${actions.join(', ')}` : 'no action is possible now';
  return new OmsError(
    'OMS_ORDER_ACTION_REFUSED',
    `order ${orderId} (${status}) allows no ${action}: ${reason}; ${possible}`,
  );
}

function act(
  options: ActOptions,
  order: StuckOrder,
  request: ActionRequest,
  decision: StoredDecision,
): Promise<string> {
  if (order.waitsFor === 'run') return recover(options, request);
  return request.action === 'retry' ? retryActivities(options, order) : giveUp(options, request, decision);
}

async function recover({ db, workflows }: ActOptions, { orderId, action }: ActionRequest): Promise<string> {
  const then = { retry: 'goes on', cancel: 'cancels', fail: 'fails' } as const;
  await recoverOrder({ db, workflows }, orderId, then[action]);
  return `its run was gone; a new one ${then[action]}`;
}

/** Resets each provider step that waits: tried at once, and waits begin anew. Its key is the same, so nothing is done twice. */
async function retryActivities({ client }: ActOptions, order: StuckOrder): Promise<string> {
  const waiting = order.activities.filter(({ nextAttemptAt }) => nextAttemptAt !== null);
  const { namespace, identity } = client.options;
  const execution = { workflowId: orderWorkflowId(order.orderId) };
  for (const { id } of waiting) {
    await client.workflowService.resetActivity({ namespace, execution, identity, id }).catch((error: unknown) => {
      throw temporalError(error);
    });
  }
  if (waiting.length === 0) return 'an attempt is under way already';
  return `${waiting.map(({ name }) => name).join(', ')}: tried again now`;
}

/** The decision names the wish: carried out twice, it is one. */
async function giveUp({ workflows }: ActOptions, request: ActionRequest, decision: StoredDecision): Promise<string> {
  const { orderId, action } = request;
  const message: CancelMessage = {
    ...{ v: MESSAGE_VERSION, kind: MESSAGE_KINDS.cancel, eventId: CAUSE_FORMS.operator(action, decision.id) },
    ...{ fulfillmentId: null, reason: decision.why },
    ...(action === 'fail' ? { as: 'failed' } : {}),
  };
  if ((await workflows.signal(orderId, message)) === 'signalled')
    return `asked to ${action}: what was done is undone first`;
  throw new OmsError('OMS_ORDER_ACTION_REFUSED', `order ${orderId} allows no ${action}: its run has just ended`);
}
