import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { ORDER_STATUSES } from '../../domain/status.ts';
import type { OrderStatus } from '../../domain/status.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { createStatsReader } from '../stats.ts';
import { problems, time } from './atoms.ts';
import { iso } from './json.ts';
import { typed } from './routes.ts';

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
