// Runs the careless workflow in the SDK's own sandbox, with our preload module and without it, and prints what was seen
// of each as JSON. A process of its own: the SDK's promise hooks are the whole isolate's, and would slow a test down.
import { fileURLToPath } from 'node:url';
import proto from '@temporalio/proto';
import { DefaultLogger, bundleWorkflowCode } from '@temporalio/worker';
import { parseWorkflowCode } from '@temporalio/worker/lib/worker.js';
import { ReusableVMWorkflowCreator } from '@temporalio/worker/lib/workflow/reusable-vm.js';
import { setUnhandledRejectionHandler } from '@temporalio/worker/lib/workflow/vm-shared.js';
import { PRELOAD_MODULES } from '../../workers/worker.ts';

/** What became of one run of the workflow. */
export interface Seen {
  /** Promises whose stack was recorded. */
  stacks: number;
  /** What the workflow's task failed with. */
  failure: string | undefined;
}

const workflowsPath = fileURLToPath(new URL('./careless-workflow.ts', import.meta.url));

async function run(runId: string, preloadModules: string[]): Promise<Seen> {
  const logger = new DefaultLogger('ERROR');
  const { code } = await bundleWorkflowCode({ workflowsPath, preloadModules, logger });
  const creator = await ReusableVMWorkflowCreator.create(parseWorkflowCode(code), 10_000, new Set());
  const info = { runId, workflowType: 'careless', workflowId: runId, unsafe: { now: Date.now }, searchAttributes: {} };
  const options = { info, now: Date.now(), randomnessSeed: [1], showStackTraceSources: false };
  type CreateOptions = Parameters<typeof creator.createWorkflow>[0];
  const workflow = await creator.createWorkflow(options as unknown as CreateOptions);
  const initializeWorkflow = { workflowType: 'careless', workflowId: runId, arguments: [] };
  const activation = { runId, timestamp: { seconds: 1 }, historyLength: 3, jobs: [{ initializeWorkflow }] };
  const completion = await workflow.activate(
    proto.coresdk.workflow_activation.WorkflowActivation.fromObject(activation),
  );
  const { activator } = workflow as unknown as {
    activator: { promiseStackStore: { promiseToStack: ReadonlyMap<unknown, unknown> } };
  };
  return {
    stacks: activator.promiseStackStore.promiseToStack.size,
    failure: completion.failed?.failure?.message ?? undefined,
  };
}

setUnhandledRejectionHandler((runId) => ReusableVMWorkflowCreator.workflowByRunId.get(runId));
const plain = await run('plain', []);
const preloaded = await run('preloaded', PRELOAD_MODULES.slice(0, 1));
console.log(JSON.stringify({ plain, preloaded }));
process.exit(0);
