import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Worker, bundleWorkflowCode } from '@temporalio/worker';
import { PRELOAD_MODULES } from '../../workers/worker.ts';
import { testEnvironment } from '../helpers/stack.ts';
import { waitFor } from '../helpers/wait.ts';

const taskQueue = randomUUID();
let connection: Connection;
let native: NativeConnection;
let worker: Worker;
let running: Promise<void>;
beforeAll(async () => {
  const address = testEnvironment().TEMPORAL_ADDRESS;
  connection = await Connection.connect({ address });
  native = await NativeConnection.connect({ address });
  const workflowsPath = fileURLToPath(new URL('../helpers/careless-workflow.ts', import.meta.url));
  const preloadModules = PRELOAD_MODULES.slice(0, 1);
  const logger = new DefaultLogger('ERROR');
  const workflowBundle = await bundleWorkflowCode({ workflowsPath, preloadModules, logger });
  worker = await Worker.create({ connection: native, taskQueue, workflowBundle });
  running = worker.run();
});
afterAll(async () => {
  worker.shutdown();
  await running;
  await native.close();
  await connection.close();
});

describe('A workflow without recorded promise stacks', () => {
  it('still fails its task, and not the worker, at a promise that nobody waits for', async () => {
    const client = new Client({ connection });
    const handle = await client.workflow.start('careless', { taskQueue, workflowId: taskQueue });
    const failed = await waitFor('a failed workflow task', async () => {
      const { events } = await handle.fetchHistory();
      return events?.find((event) => event.workflowTaskFailedEventAttributes)?.workflowTaskFailedEventAttributes;
    });
    expect(failed.failure?.message).toContain('nobody waited for this');
    expect(worker.getState()).toBe('RUNNING');
    await handle.terminate();
  });
});
