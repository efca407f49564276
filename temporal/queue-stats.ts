import type { Client } from '@temporalio/client';
import { temporalError } from './order-workflows.ts';

/** What Temporal says of the workers of the orders' task queue. */
export interface QueueStats {
  /** Worker processes that asked for work in the last minute. */
  workers: number;
  /** Workflow and activity tasks that wait for a worker, about. */
  backlog: number;
}

export interface QueueReader {
  /** @throws OmsError OMS_TEMPORAL_UNAVAILABLE */
  read(): Promise<QueueStats>;
}

const DEADLINE_MS = 3_000;
/** Temporal's numbers move no faster. */
const FRESH_MS = 1_000;
const WORKFLOW = 1;
const ACTIVITY = 2;
const SEEN_MS = 60_000;

/** Asked at most once a second, however often it is read. */
export function createQueueReader(client: Client, taskQueue: string): QueueReader {
  let asked: Promise<QueueStats> | undefined;
  let askedAt = -Infinity;
  return {
    read: () => {
      if (asked && performance.now() - askedAt < FRESH_MS) return asked;
      askedAt = performance.now();
      asked = ask(client, taskQueue);
      return asked;
    },
  };
}

async function ask(client: Client, name: string): Promise<QueueStats> {
  try {
    const answers = await client.connection.withDeadline(Date.now() + DEADLINE_MS, () =>
      allOf([WORKFLOW, ACTIVITY].map((taskQueueType) => describe(client, name, taskQueueType))),
    );
    const pollers = answers.flatMap(({ pollers }) => pollers ?? []);
    const now = Date.now();
    const seen = pollers.filter(({ lastAccessTime }) => now - Number(lastAccessTime?.seconds ?? 0) * 1_000 < SEEN_MS);
    const backlog = answers.reduce((sum, { stats }) => sum + Number(stats?.approximateBacklogCount ?? 0), 0);
    return { workers: new Set(seen.map(({ identity }) => identity)).size, backlog };
  } catch (error) {
    throw temporalError(error);
  }
}

/** Waits for all of them also when one has failed: a call that goes on would outlive the connection. */
async function allOf<T>(calls: Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(calls);
  return Promise.all(calls);
}

function describe(client: Client, name: string, taskQueueType: number) {
  const { namespace } = client.options;
  return client.workflowService.describeTaskQueue({ namespace, taskQueue: { name }, taskQueueType, reportStats: true });
}
