import type { ApiDependencies } from '../dependencies.ts';

/** All of an order is one workflow on one task queue, so the figures of the three services are the same. */
export async function statsOf({ queues }: ApiDependencies): Promise<{ workerCount: number; backlog: number }> {
  const { workers: workerCount, backlog } = await queues.read();
  return { workerCount, backlog };
}
