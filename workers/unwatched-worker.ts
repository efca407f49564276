import { Worker } from '@temporalio/worker';
import type { Stopwatch } from './stopwatch.ts';

/**
 * Temporal's worker without the SDK's watchdog on workflow code: it starts a thread for every call into a workflow,
 * 0.3 ms of CPU each and some 25 of them an order. What it guards against, workflow code that never returns, is seen by
 * `stopwatch` instead, and ends the process through its liveness.
 */
export function unwatchedWorker(stopwatch: Stopwatch): typeof Worker {
  return class UnwatchedWorker extends Worker {
    protected static override async createWorkflowCreator(...given: Parameters<typeof Worker.createWorkflowCreator>) {
      const [bundle, options, logger] = given;
      // Not set, although its type does not say so: then no watchdog is started.
      const isolateExecutionTimeoutMs = undefined as unknown as number;
      const creator = await super.createWorkflowCreator(bundle, { ...options, isolateExecutionTimeoutMs }, logger);
      const create = creator.createWorkflow.bind(creator);
      creator.createWorkflow = async (workflowOptions) => {
        const workflow = await create(workflowOptions);
        const activate = workflow.activate.bind(workflow);
        workflow.activate = (activation) => stopwatch.time(() => activate(activation));
        return workflow;
      };
      return creator;
    }
  };
}
