import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../database/database.ts';
import { markHeld, markSent, readUnsent } from '../database/outbox/outbox-queue.ts';
import type { UnsentEvent } from '../database/outbox/outbox-queue.ts';
import type { LockSession } from '../database/outbox/shard-locks.ts';
import type { OutgoingRecord, PublishOutcome, Publisher } from '../kafka/producer/publisher.ts';
import type { Logger } from '../platform/logger.ts';
import type { OutboxMetrics } from './metrics.ts';

export interface SendLoop {
  /** Null while rounds succeed, else why the last one did not. */
  check: () => string | null;
  /** Since the last round began or ended, ms. */
  idleMs(): number;
  /** Starts no new round; resolves when the current one has ended. */
  stop(): Promise<void>;
}

/** After a round: time for more events to gather, so that a busy hour goes out in batches. */
const GATHER_MS = 50;
const WAIT_AFTER_FAILURE_MS = 1_000;

/** Round after round: at once while there is more than a batch, soon while there is anything, else when the outbox announces itself or `pollMs` are over. */
export function startSendLoop(options: {
  sender: Sender;
  wake: Wake;
  batch: number;
  pollMs: number;
  logger: Logger;
}): SendLoop {
  const { sender, wake, logger } = options;
  let stopping = false;
  let failure: string | null = 'the outbox was not looked at yet';
  let progressAt = performance.now();

  const round = async (): Promise<void> => {
    const found = await sender.round();
    failure = null;
    if (found >= options.batch) return;
    if (found > 0) await sleep(GATHER_MS);
    else await wake.sleep(options.pollMs);
  };
  const loop = async (): Promise<void> => {
    while (!stopping) {
      progressAt = performance.now();
      try {
        await round();
      } catch (error) {
        failure = error instanceof Error ? error.message : String(error);
        logger.warn({ err: error }, 'outbox not sent, trying again');
        await wake.sleep(WAIT_AFTER_FAILURE_MS);
      }
    }
  };
  const ended = loop();
  return {
    check: () => failure,
    idleMs: () => performance.now() - progressAt,
    stop: () => {
      stopping = true;
      wake.now();
      return ended;
    },
  };
}

/** Lets a loop sleep until something announces itself, or a time has passed. */
export interface Wake {
  /** Ends the sleep, or the next one if none is going on. */
  now: () => void;
  sleep(ms: number): Promise<void>;
}

export function createWake(): Wake {
  let woken = false;
  let end: () => void = () => undefined;
  return {
    now: () => {
      woken = true;
      end();
    },
    sleep: async (ms) => {
      if (!woken) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          end = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      woken = false;
    },
  };
}

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
