import { readOutboxDepth } from '../../database/outbox/outbox-queue.ts';
import type { Replay } from '../../database/replays/replays.ts';
import { ORDERS_TASK_QUEUE } from '../../domain/contract.ts';
import { createLagReader } from '../../kafka/consumer/lag.ts';
import type { ReplayParts } from './parts.ts';
import { createPressure } from './pressure.ts';
import type { Gauge, Pressure } from './pressure.ts';
import type { Source } from './sources.ts';

/** What a run keeps back for, by what it does: the live roles go first. One that only looks presses on nobody. */
export function pressureOf(parts: ReplayParts, { mode, options }: Replay, source: Source | undefined): Pressure {
  if (mode === 're-emit') return createPressure([unsent(parts, options.maxLag)]);
  if (mode === 'validate' || !source?.groupId) return createPressure([]);
  const { topic, groupId } = source;
  return createPressure([backlog(parts, options.maxBacklog), liveLag(parts, { topic, groupId }, options.maxLag)]);
}

function unsent({ db }: ReplayParts, limit: number): Gauge {
  return { what: 'live events wait for the publisher', limit, read: async () => (await readOutboxDepth(db)).unsent };
}

/** Of workflow tasks: gRPC's name for the kind. */
const WORKFLOW_QUEUE = 1;

function backlog({ client, config }: ReplayParts, limit: number): Gauge {
  const request = {
    namespace: config.TEMPORAL_NAMESPACE,
    taskQueue: { name: `${config.OMS_PREFIX}${ORDERS_TASK_QUEUE}` },
    taskQueueType: WORKFLOW_QUEUE,
    reportStats: true,
  };
  const read = async (): Promise<number> => {
    const { stats } = await client.workflowService.describeTaskQueue(request);
    return Number(stats?.approximateBacklogCount ?? 0);
  };
  return { what: 'workflow tasks wait for a worker', limit, read };
}

function liveLag({ admin }: ReplayParts, live: { topic: string; groupId: string }, limit: number): Gauge {
  const lag = createLagReader({ admin, groupId: live.groupId, topics: [live.topic] });
  const read = async (): Promise<number> =>
    (await lag.read()).reduce((total, partition) => total + Number(partition.lag), 0);
  return { what: 'live records wait for ingest', limit, read };
}
