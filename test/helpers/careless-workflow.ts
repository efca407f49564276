import { sleep } from '@temporalio/workflow';

/** A workflow with the bug that nobody waits for a promise that fails. */
export async function careless(): Promise<void> {
  void Promise.reject(new Error('nobody waited for this'));
  await sleep('1 hour');
}
