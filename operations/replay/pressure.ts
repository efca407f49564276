import { setTimeout as sleep } from 'node:timers/promises';
import { readOutboxDepth } from '../../database/outbox/outbox-queue.ts';
import type { Replay } from '../../database/replays/replays.ts';
import { ORDERS_TASK_QUEUE } from '../../domain/contract.ts';
import { replayRules } from '../../domain/replay-modes.ts';
import { createLagReader } from '../../kafka/consumer/lag.ts';
import type { ReplayParts } from './parts.ts';
import type { OnWait } from './patience.ts';
import type { Source } from './sources.ts';

/** Something that must not be overloaded by a replay: how much waits there now, and the most that may. */
export interface Gauge {
  /** In words: `workflow tasks without a worker`. */
  what: string;
  limit: number;
  read(): Promise<number>;
}

/** Keeps a replay back while live orders wait. */
export interface Pressure {
  /** Resolves when no gauge is past its limit, or when aborted. A gauge that cannot be read keeps nobody back. */
  wait(signal: AbortSignal, onWait: OnWait): Promise<void>;
}

const FRESH_MS = 1_000;

/** A limit of 0 switches its gauge off. */
export function createPressure(gauges: readonly Gauge[]): Pressure {
  const watched = gauges.filter(({ limit }) => limit > 0);
  let readAt = -Infinity;
  const reason = async (): Promise<string | undefined> => {
    readAt = performance.now();
    const values = await Promise.all(watched.map((gauge) => gauge.read().catch(() => 0)));
    const past = watched.find(({ limit }, i) => (values[i] ?? 0) > limit);
    return past && `${values[watched.indexOf(past)]} ${past.what}, more than ${past.limit}`;
  };
  return {
    wait: async (signal, onWait) => {
      if (watched.length === 0 || performance.now() - readAt < FRESH_MS) return;
      let waited = false;
      for (let why = await reason(); why !== undefined && !signal.aborted; why = await reason()) {
        waited = true;
        onWait(why);
        await sleep(FRESH_MS, undefined, { signal }).catch(() => undefined);
      }
      if (waited) onWait(undefined);
    },
  };
}

/** Spreads effects over time. */
export interface Pace {
  /** Effects that may be done at once: half a second's. */
  readonly atOnce: number;
  /** Resolves when so many more may be done; at once when aborted. */
  take(effects: number, signal: AbortSignal): Promise<void>;
}

const MOST_AT_ONCE = 1_000;

/** `rate`: effects a second at most; 0 = no limit. */
export function createPace(rate: number): Pace {
  let freeAt = 0;
  return {
    atOnce: rate === 0 ? MOST_AT_ONCE : Math.max(1, Math.min(MOST_AT_ONCE, Math.floor(rate / 2))),
    take: async (effects, signal) => {
      if (rate === 0 || effects === 0) return;
      const now = performance.now();
      const wait = freeAt - now;
      freeAt = Math.max(freeAt, now) + (effects / rate) * 1_000;
      if (wait > 0) await sleep(wait, undefined, { signal }).catch(() => undefined);
    },
  };
}

/** What a run keeps back for, by what it does: the live roles go first. One that only looks presses on nobody. */
export function pressureOf(parts: ReplayParts, { mode, options }: Replay, source: Source | undefined): Pressure {
  const rules = replayRules(mode);
  if (rules.reads === 'outbox') return createPressure([unsent(parts, options.maxLag)]);
  if (!rules.hasEffect || !source?.groupId) return createPressure([]);
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
