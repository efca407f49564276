import type { Deployment } from './deployment.ts';
import { workflowIds } from './end-state.ts';
import { waitFor } from './wait.ts';

/** Requests at once: as many as the dev server answers without piling up. */
const WIDTH = 20;
const DEADLINE_MS = 5 * 60_000;

/** Makes Temporal forget every workflow of the deployment, as it does when their retention is over. */
export async function forgetHistories(deployment: Deployment): Promise<void> {
  const { temporal, config } = deployment;
  const left = await workflowIds(deployment);
  const forget = async (): Promise<void> => {
    for (let workflowId = left.pop(); workflowId; workflowId = left.pop()) {
      const workflowExecution = { workflowId };
      await temporal.workflowService.deleteWorkflowExecution({
        namespace: config.TEMPORAL_NAMESPACE,
        workflowExecution,
      });
    }
  };
  await Promise.all(Array.from({ length: WIDTH }, forget));
  await waitFor(
    'Temporal to have forgotten all',
    async () => (await workflowIds(deployment)).length === 0,
    DEADLINE_MS,
  );
}
