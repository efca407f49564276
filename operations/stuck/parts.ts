import { ORDERS_TASK_QUEUE } from '../../domain/contract.ts';
import type { Resources } from '../../resources/resources.ts';
import { createOrderWorkflows, timersOf } from '../../temporal/order-workflows.ts';
import type { ActOptions } from './actions.ts';

/** What looking at stuck orders, and acting on them, takes. @throws OmsError OMS_TEMPORAL_UNAVAILABLE */
export async function stuckParts(resources: Resources): Promise<ActOptions> {
  const { config } = resources;
  const { client } = await resources.temporal();
  const taskQueue = `${config.OMS_PREFIX}${ORDERS_TASK_QUEUE}`;
  const workflows = createOrderWorkflows({ client, taskQueue, timersOf: timersOf(config) });
  return { db: await resources.database(), client, workflows };
}
