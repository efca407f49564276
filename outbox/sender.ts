import type { Database } from '../database/database.ts';
import { markHeld, markSent, readUnsent } from '../database/outbox/outbox-queue.ts';
import type { UnsentEvent } from '../database/outbox/outbox-queue.ts';
import type { LockSession } from '../database/outbox/shard-locks.ts';
import type { OutgoingRecord, PublishOutcome, Publisher } from '../kafka/producer/publisher.ts';
import type { Logger } from '../platform/logger.ts';
import type { OutboxMetrics } from './metrics.ts';

export interface SenderOptions {
  db: Database;
  publisher: Pick<Publisher, 'publish'>;
  locks: LockSession;
  /** Put before every topic. */
  prefix: string;
  /** Events taken at once. */
  batch: number;
  metrics: OutboxMetrics;
  logger: Logger;
}

export interface Sender {
  /**
   * Sends what waits in our shards and marks it. Returns how many events it found.
   * A crash anywhere in it only means that events are sent again, with the same id and bytes.
   */
  round(): Promise<number>;
}

interface EventRecord extends OutgoingRecord {
  event: UnsentEvent;
}

/** Carries committed events to their topics: every event at least once, an order's first occurrences in version order. */
export function createSender(options: SenderOptions): Sender {
  const { db, publisher, locks, metrics } = options;
  const heldOrders = createHeldOrders();
  return {
    round: async () => {
      const shards = await locks.shards();
      if (shards.length === 0) return 0;
      const events = await readUnsent(db, { shards, except: heldOrders.waiting(), limit: options.batch });
      if (events.length === 0 || locks.held() === 0) return 0;
      const outcome = await publisher.publish(events.map((event) => recordOf(event, options.prefix)));
      const delays = await markSent(
        db,
        outcome.sent.map(({ record }) => record.event.id),
      );
      for (const delay of delays) metrics.delay.observe(delay);
      for (const { record } of outcome.sent) metrics.sent.inc({ topic: record.event.topic });
      await holdBack(options, heldOrders, outcome);
      return events.length;
    },
  };
}

/** Everything about a record is fixed in the outbox, its time included: a repeat is the same in every respect. */
function recordOf(event: UnsentEvent, prefix: string): EventRecord {
  const { key, value, headers, createdAt, orderId } = event;
  return { topic: prefix + event.topic, key, value, headers, timestamp: createdAt, lane: orderId, event };
}

/** Notes the first held event of each order; the later ones only wait for it. */
async function holdBack(
  { db, metrics, logger }: SenderOptions,
  heldOrders: HeldOrders,
  { sent, held }: PublishOutcome<EventRecord>,
): Promise<void> {
  const firsts = new Map(held.toReversed().map((item) => [item.record.event.orderId, item]));
  for (const { record } of sent) if (!firsts.has(record.event.orderId)) heldOrders.remove(record.event.orderId);
  for (const [orderId, { record, error }] of firsts) {
    const { id, eventId, topic } = record.event;
    const retryInMs = heldOrders.add(orderId);
    metrics.held.inc({ code: error.code });
    logger.warn({ orderId, eventId, topic, code: error.code, err: error, retryInMs }, 'event held back');
    // That Kafka is away says nothing about the event.
    if (error.code !== 'OMS_KAFKA_UNAVAILABLE') await markHeld(db, id, `${error.code}: ${error.message}`);
  }
}

/** First and longest wait before an order that was held back is tried again, ms. */
const WAITS = { first: 500, longest: 60_000 } as const;

/** Orders one of whose events could not be sent. Their later events wait with it; other orders don't. */
interface HeldOrders {
  /** Returns how long the order waits now, ms: longer each time in a row. */
  add(orderId: string): number;
  /** The order went on. */
  remove(orderId: string): void;
  /** Orders whose wait is not over. */
  waiting(): string[];
}

export function createHeldOrders(now: () => number = () => performance.now()): HeldOrders {
  const held = new Map<string, { waitMs: number; until: number }>();
  return {
    add: (orderId) => {
      const waitMs = Math.min((held.get(orderId)?.waitMs ?? WAITS.first / 2) * 2, WAITS.longest);
      held.set(orderId, { waitMs, until: now() + waitMs });
      return waitMs;
    },
    remove: (orderId) => void held.delete(orderId),
    waiting: () => [...held].filter(([, { until }]) => until > now()).map(([orderId]) => orderId),
  };
}
