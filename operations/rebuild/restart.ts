import { Client, WorkflowNotFoundError } from '@temporalio/client';
import pLimit from 'p-limit';
import { staleClaims } from '../../database/ledger/ledger.ts';
import { parkedFor } from '../../database/ledger/parked-events.ts';
import { ORDERS_TASK_QUEUE } from '../../domain/contract.ts';
import { orderWorkflowId } from '../../domain/ids.ts';
import { confirm, deliver } from '../../orders/intake/deliver.ts';
import type { Lane } from '../../orders/intake/deliver.ts';
import { noStep } from '../../orders/intake/step.ts';
import { createOrderWorkflows, temporalError, timersOf } from '../../temporal/order-workflows.ts';
import type { OrderWorkflows } from '../../temporal/order-workflows.ts';
import type { RebuildContext } from './topics.ts';

const PAGE_ORDERS = 200;
const AT_ONCE = 16;

/**
 * Gives every open order a new run, with the events that were told to the old one. A run that goes on would remember more
 * than the database now has: it does not go back to an older state, and would wait for it for ever.
 */
export async function restartOpen({ db, config, temporal }: RebuildContext): Promise<number> {
  const client = new Client({ connection: temporal, namespace: config.TEMPORAL_NAMESPACE });
  const workflows = createOrderWorkflows({
    client,
    taskQueue: `${config.OMS_PREFIX}${ORDERS_TASK_QUEUE}`,
    timersOf: timersOf(config),
  });
  const again: OrderWorkflows = {
    signal: (orderId, message) => workflows.signal(orderId, message),
    start: async (orderId, parked, source) => {
      await end(client, orderId);
      return workflows.restart(orderId, parked, source);
    },
  };
  const options = { db, workflows: again, limiter: pLimit(AT_ONCE), onStep: noStep };
  let restarted = 0;
  for (;;) {
    const claimed = await staleClaims(db, 0, PAGE_ORDERS);
    if (claimed.size === 0) return restarted;
    const parked = Map.groupBy(await parkedFor(db, [...claimed.keys()]), (event) => event.orderId);
    const lanes = [...claimed].map(([orderId, source]): Lane => ({
      ...{ orderId, source, start: true, parked: parked.get(orderId) ?? [], signals: [] },
    }));
    const delivery = await deliver(options, lanes, new AbortController().signal);
    await confirm(db, delivery, []);
    if (delivery.failure !== undefined) throw delivery.failure;
    restarted += lanes.length;
  }
}

async function end(client: Client, orderId: string): Promise<void> {
  try {
    await client.workflow
      .getHandle(orderWorkflowId(orderId))
      .terminate('goes on in a new run, from a rebuilt database');
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw temporalError(error);
  }
}
