import { Client, Connection, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { ORDER_WORKFLOW } from '../../domain/contract.ts';
import { orderWorkflowId } from '../../domain/ids.ts';
import type { World } from './world.ts';

/** How many starts per second a bare client reaches, with nothing around them; also for ids that exist (all rejected). */
export async function bareStartsPerSecond(
  world: World,
  orderIds: readonly string[],
  concurrency: number,
): Promise<number> {
  const connection = await Connection.connect({ address: world.environment.TEMPORAL_ADDRESS ?? '' });
  const client = new Client({ connection });
  const queue = [...orderIds];
  const lane = async (): Promise<void> => {
    for (let id = queue.pop(); id !== undefined; id = queue.pop()) await start(client, id);
  };
  await client.workflow.count('');
  const began = performance.now();
  await Promise.all(Array.from({ length: concurrency }, lane));
  const seconds = (performance.now() - began) / 1_000;
  await connection.close();
  return orderIds.length / seconds;
}

async function start(client: Client, orderId: string): Promise<void> {
  try {
    await client.workflow.start(ORDER_WORKFLOW, {
      workflowId: orderWorkflowId(orderId),
      taskQueue: 'bench-without-a-worker',
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      args: [{ v: 1, orderId, timers: { customerActionMs: 30_000, carrierOverdueMs: 86_400_000 }, parked: [] }],
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
