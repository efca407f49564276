import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { databaseError } from '../../database/database.ts';
import { readOutboxDepth } from '../../database/outbox/outbox-queue.ts';
import type { OutboxDepth } from '../../database/outbox/outbox-queue.ts';
import { countByStatus, countRecentDeadLetters, countUntaken, readThroughput } from '../../database/read/stats.ts';
import type { Throughput } from '../../database/read/stats.ts';
import { OmsError, isOmsError } from '../../domain/errors.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import { ORDER_STATUSES } from '../../domain/status.ts';
import type { OrderStatus } from '../../domain/status.ts';
import type { QueueStats } from '../../temporal/queue-stats.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { iso, problems, time, typed } from './atoms.ts';

const count = z.int();
const orders = z.object(
  Object.fromEntries(ORDER_STATUSES.map((one) => [one, count])) as Record<OrderStatus, typeof count>,
);

const stats = z
  .object({
    at: time,
    orders: orders.nullable().describe('Orders by status; closed ones as far as they closed in the last 24 h.'),
    throughput: z
      .object({
        completedPerSecond30s: z.number().describe('Orders completed a second, over the last 30 s.'),
        completedPerSecond5m: z.number().describe('The same over the last 5 min.'),
        p50Seconds: z.number().nullable().describe('From an order event to the last delivery, the middle order.'),
        p95Seconds: z.number().nullable().describe('95 of 100 orders took no longer.'),
      })
      .nullable()
      .describe('How fast orders get done; times of the newest 1,000 of the last 5 min.'),
    lag: z
      .array(z.object({ topic: z.string(), records: count }))
      .nullable()
      .describe('Records on our input topics that are not handled yet.'),
    queue: z
      .object({
        workers: count.describe('Workers that asked for work in the last minute.'),
        backlog: count.describe('Tasks that wait for a worker, about.'),
      })
      .nullable()
      .describe("The orders' task queue."),
    outbox: z
      .object({
        unsent: count,
        held: count.describe('Of them, those Kafka would not take.'),
        oldestSeconds: z.number().describe('Age of the oldest that is not held.'),
      })
      .nullable()
      .describe('Events that are committed and not on their topics yet.'),
    deadLetters: z
      .array(z.object({ code: z.string(), count }))
      .nullable()
      .describe('Of the last 24 h, by code.'),
    away: z
      .array(z.object({ part: z.string(), code: z.string(), reason: z.string() }))
      .describe('Parts that could not be asked, and why; they are null.'),
  })
  .meta({ id: 'Stats' });

/** How the whole system does, for dashboards and the web UI. */
export function registerStats(app: FastifyInstance, deps: ApiDependencies): void {
  const read = createStatsReader(deps);
  typed(app).get(
    '/stats',
    {
      schema: {
        operationId: 'getStats',
        summary: 'Orders, rates, lag, backlog, workers, outbox and dead letters.',
        description:
          'Figures are at most a second old. A part that is away is null, and the answer is 200 all the same.',
        tags: ['operations'],
        response: { 200: stats, ...problems() },
      },
    },
    async () => {
      const { at, ...figures } = await read();
      return { ...figures, at: iso(at) };
    },
  );
}

/** How the whole system does. A part that cannot be asked now is null, and `away` says why. */
interface Stats {
  at: Date;
  /** Closed ones as far as they closed in the last 24 h. */
  orders: Record<OrderStatus, number> | null;
  throughput: Throughput | null;
  /** Records that our groups have not committed, by topic. */
  lag: { topic: string; records: number }[] | null;
  queue: QueueStats | null;
  outbox: OutboxDepth | null;
  /** Of the last 24 h. */
  deadLetters: { code: string; count: number }[] | null;
  away: { part: StatsPart; code: ErrorCode; reason: string }[];
}

type StatsPart = 'orders' | 'throughput' | 'lag' | 'queue' | 'outbox' | 'deadLetters';

/** Whoever asks gets figures no older than this; more callers cost nothing more. */
const FRESH_MS = 1_000;
/** A part that does not answer for so long is away. */
const PATIENCE_MS = 4_000;

/** Reads the figures of all parts side by side, at most once a second. Never fails: what is away is named. */
function createStatsReader(deps: Pick<ApiDependencies, 'db' | 'queues' | 'lag'>): () => Promise<Stats> {
  let asked: Promise<Stats> | undefined;
  let askedAt = -Infinity;
  return () => {
    if (asked && performance.now() - askedAt < FRESH_MS) return asked;
    askedAt = performance.now();
    asked = readStats(deps);
    return asked;
  };
}

async function readStats({ db, queues, lag }: Pick<ApiDependencies, 'db' | 'queues' | 'lag'>): Promise<Stats> {
  const away: Stats['away'] = [];
  const part = async <T>(name: StatsPart, code: ErrorCode, read: () => Promise<T>): Promise<T | null> => {
    try {
      return await inTime(read());
    } catch (thrown) {
      const error = databaseError(thrown);
      away.push({ part: name, code: isOmsError(error) ? error.code : code, reason: reasonOf(error) });
      return null;
    }
  };
  const [orders, throughput, topics, queue, outbox, deadLetters] = await Promise.all([
    part('orders', 'OMS_DATABASE_UNAVAILABLE', () => readOrders(db)),
    part('throughput', 'OMS_DATABASE_UNAVAILABLE', () => readThroughput(db)),
    part('lag', 'OMS_KAFKA_UNAVAILABLE', () => readLag(lag)),
    part('queue', 'OMS_TEMPORAL_UNAVAILABLE', () => queues.read()),
    part('outbox', 'OMS_DATABASE_UNAVAILABLE', () => readOutboxDepth(db)),
    part('deadLetters', 'OMS_DATABASE_UNAVAILABLE', () => countRecentDeadLetters(db)),
  ]);
  return { at: new Date(), orders, throughput, lag: topics, queue, outbox, deadLetters, away };
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function inTime<T>(answer: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer in ${PATIENCE_MS} ms`)), PATIENCE_MS);
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function readOrders(db: ApiDependencies['db']): Promise<Record<OrderStatus, number>> {
  const [counted, untaken] = await Promise.all([countByStatus(db), countUntaken(db)]);
  const counts = new Map(counted.map(({ status, orders }) => [status, orders]));
  // An order that no worker has taken yet has no row of its own.
  counts.set('pending', (counts.get('pending') ?? 0) + untaken);
  return Object.fromEntries(ORDER_STATUSES.map((status) => [status, counts.get(status) ?? 0])) as Record<
    OrderStatus,
    number
  >;
}

async function readLag(lag: ApiDependencies['lag']): Promise<{ topic: string; records: number }[]> {
  const partitions = await lag.read();
  if (partitions.length === 0) throw new OmsError('OMS_KAFKA_UNAVAILABLE', 'no consumer group could be asked');
  const byTopic = Map.groupBy(partitions, ({ topic }) => topic);
  return [...byTopic].map(([topic, all]) => ({ topic, records: Number(all.reduce((sum, one) => sum + one.lag, 0n)) }));
}
