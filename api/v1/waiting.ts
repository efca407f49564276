import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { listHeldEvents } from '../../database/outbox/outbox-queue.ts';
import type { HeldEvent } from '../../database/outbox/outbox-queue.ts';
import { STUCK_ACTIONS, stuckOrders } from '../../operations/stuck/reasons.ts';
import type { StuckOrder } from '../../operations/stuck/reasons.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { iso, isoOrNull, orderId, paging, problems, time, typed } from './atoms.ts';

const HOUR_SECONDS = 3_600;
const MOST_SECONDS = 366 * 24 * HOUR_SECONDS;

const stuckQuery = z
  .object({
    olderThanSeconds: z.coerce
      .number('must be a whole number')
      .int('must be a whole number')
      .min(0, 'must be 0 or more')
      .max(MOST_SECONDS, `must be at most ${MOST_SECONDS}`)
      .default(HOUR_SECONDS)
      .describe('Orders that have not moved for so long.'),
    order: orderId.optional().describe('Only this order, however long it waits.'),
    limit: paging.limit,
  })
  .strict();

const stuckOrder = z
  .object({
    orderId: z.string(),
    source: z.string().nullable(),
    status: z.string().describe('Of the order; of one that no worker has taken, of its ledger row.'),
    since: time.describe('When it last moved.'),
    waitsFor: z.string().describe('`payment`, `carrier`, `customer`, `run`, …'),
    reason: z.string().describe('For people: what it waits for, since what, and what happens by itself.'),
    actions: z.array(z.enum(STUCK_ACTIONS)).describe('What `oms orders stuck` may do about it now.'),
    activities: z
      .array(
        z.object({
          name: z.string(),
          attempt: z.int().describe('From 1.'),
          lastError: z.string().nullable(),
          nextAttemptAt: time.nullable().describe('null while an attempt runs.'),
        }),
      )
      .describe('The steps Temporal is at.'),
  })
  .meta({ id: 'StuckOrder' });

const heldEvent = z
  .object({
    orderId: z.string(),
    eventId: z.string(),
    topic: z.string(),
    type: z.string(),
    bytes: z.int(),
    reason: z.string().describe('Error code and words.'),
    createdAt: time,
    waiting: z.int().describe('Later events of the order that wait for it.'),
  })
  .meta({ id: 'HeldEvent' });

/** Orders that do not move, and events that cannot be sent. */
export function registerWaiting(app: FastifyInstance, deps: ApiDependencies): void {
  registerStuck(app, deps);
  registerHeld(app, deps);
}

function registerStuck(app: FastifyInstance, deps: ApiDependencies): void {
  typed(app).get(
    '/stuck-orders',
    {
      schema: {
        operationId: 'listStuckOrders',
        summary: 'Orders that wait for long, the longest first: for what, why, and what can be done about it.',
        description: 'Asks Temporal; while that is away, the answer is 503.',
        tags: ['operations'],
        querystring: stuckQuery,
        response: { 200: z.object({ items: z.array(stuckOrder) }).meta({ id: 'StuckOrders' }), ...problems() },
      },
    },
    async ({ query: { olderThanSeconds, order, limit } }) => {
      const query = { olderThanMs: olderThanSeconds * 1_000, limit, ...(order ? { orderId: order } : {}) };
      return { items: (await stuckOrders(deps, query)).map(stuckJson) };
    },
  );
}

function registerHeld(app: FastifyInstance, { db }: ApiDependencies): void {
  typed(app).get(
    '/held-events',
    {
      schema: {
        operationId: 'listHeldEvents',
        summary: 'Events their topic does not take as they are, the longest held first; each holds its order back.',
        tags: ['operations'],
        querystring: z.object({ limit: paging.limit }).strict(),
        response: { 200: z.object({ items: z.array(heldEvent) }).meta({ id: 'HeldEvents' }), ...problems() },
      },
    },
    async ({ query: { limit } }) => ({ items: (await listHeldEvents(db, limit)).map(heldJson) }),
  );
}

function stuckJson({ since, activities, ...order }: StuckOrder): z.output<typeof stuckOrder> {
  const steps = activities.map(({ name, attempt, lastError, nextAttemptAt }) => ({
    ...{ name, attempt, lastError },
    nextAttemptAt: isoOrNull(nextAttemptAt),
  }));
  return { ...order, since: iso(since), activities: steps };
}

function heldJson({ createdAt, ...event }: HeldEvent): z.output<typeof heldEvent> {
  return { ...event, createdAt: iso(createdAt) };
}
