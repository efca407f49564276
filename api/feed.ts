import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../database/database.ts';
import { feedEnd, isBefore, ordersBeyond, readFeed } from '../database/outbox/outbox-feed.ts';
import type { FeedPage, FeedPosition } from '../database/outbox/outbox-feed.ts';
import type { Logger } from '../platform/logger.ts';

/** Tells this process's live streams what there is to read. It reads for all of them at once, and nothing while there are none. */
export interface Feed {
  /** What comes after a position: at once if there is any, else as soon as there is, or nothing once `signal` is aborted. */
  after(position: FeedPosition, signal: AbortSignal): Promise<FeedPage>;
  /** Resolves when more was told of an order than up to a version, or when `signal` is aborted. */
  beyond(orderId: string, version: number, signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

const BATCH = 500;
/** The newest events are kept, so that streams which keep up cost no query of their own. */
const KEPT = 5_000;
/** How often the database is looked at: steps of orders announce nothing, for an announcement costs every one of them. */
const LOOK_EVERY_MS = 250;

export function createFeed({ db, logger }: { db: Database; logger: Logger }): Feed {
  const tail = createTail(db);
  const news = createWatch<FeedPosition>({ look: (positions) => tail.look(positions), everyMs: LOOK_EVERY_MS, logger });
  const orders = createWatch<{ orderId: string; version: number }>({
    look: (marks) => ordersBeyond(db, marks),
    everyMs: LOOK_EVERY_MS,
    logger,
  });
  return {
    after: async (position, signal) => {
      let page = await tail.read(position);
      while (page.events.length === 0 && !signal.aborted) {
        await news.wait(page.upTo, signal);
        if (!signal.aborted) page = await tail.read(page.upTo);
      }
      return page;
    },
    beyond: (orderId, version, signal) => orders.wait({ orderId, version }, signal),
    stop: async () => {
      await Promise.all([news.stop(), orders.stop()]);
    },
  };
}

/** A tail nobody asked for so long is begun anew: what was told meanwhile is read by those who want it. */
const STALE_MS = 10_000;

/** The end of the feed, in memory: every event after `from`, up to `upTo`. */
function createTail(db: Database) {
  let kept: FeedPage['events'] = [];
  let from: FeedPosition | undefined;
  let upTo: FeedPosition = { tx: 0n, id: 0 };
  let readAt = -Infinity;

  const readOn = async (): Promise<void> => {
    if (!from || performance.now() - readAt > STALE_MS) {
      from = upTo = await feedEnd(db);
      kept = [];
    }
    const page = await readFeed(db, upTo, BATCH);
    readAt = performance.now();
    upTo = page.upTo;
    kept.push(...page.events);
    const dropped = kept.splice(0, Math.max(0, kept.length - KEPT));
    from = dropped.at(-1)?.position ?? from;
  };
  return {
    /** Reads on, and answers which of these positions have something after them. */
    look: async (positions: readonly FeedPosition[]): Promise<number[]> => {
      await readOn();
      const last = kept.at(-1)?.position;
      // Of what lies before the tail only the database can tell.
      const isWorthReading = (at: FeedPosition) => (from && isBefore(at, from)) || (last && isBefore(at, last));
      return positions.flatMap((position, i) => (isWorthReading(position) ? [i] : []));
    },
    read: (position: FeedPosition): Promise<FeedPage> | FeedPage => {
      const isFresh = performance.now() - readAt <= STALE_MS;
      if (!isFresh || !from || isBefore(position, from)) return readFeed(db, position, BATCH);
      const events = kept.slice(firstAfter(kept, position)).slice(0, BATCH);
      return { events, upTo: events.at(-1)?.position ?? position };
    },
  };
}

/** By halves: the events are in order. */
function firstAfter(events: FeedPage['events'], position: FeedPosition): number {
  let [low, high] = [0, events.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const at = events[middle]?.position;
    if (at && isBefore(position, at)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** One look at the database for all who wait for something of a kind. */
interface Watch<T> {
  /** Resolves when a look finds what is waited for, or when `signal` is aborted. */
  wait(wanted: T, signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

interface WatchOptions<T> {
  /** Looks for all of it at once; answers which was found, by position. */
  look: (wanted: readonly T[]) => Promise<readonly number[]>;
  everyMs: number;
  logger: Logger;
}

const WAIT_AFTER_FAILURE_MS = 1_000;

/** Looks again and again while anybody waits, and does nothing else. A look that fails is made again. */
function createWatch<T>({ look, everyMs, logger }: WatchOptions<T>): Watch<T> {
  const waiting = new Map<object, { wanted: T; found: () => void }>();
  const stopping = new AbortController();
  let looking: Promise<void> | undefined;

  const round = async (): Promise<number> => {
    const all = [...waiting];
    try {
      for (const position of await look(all.map(([, { wanted }]) => wanted))) all[position]?.[1].found();
      return everyMs;
    } catch (err) {
      logger.warn({ err }, 'live events delayed');
      return WAIT_AFTER_FAILURE_MS;
    }
  };
  const loop = async (): Promise<void> => {
    while (waiting.size > 0 && !stopping.signal.aborted) {
      const pause = await round();
      await sleep(pause, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
    looking = undefined;
  };
  return {
    wait: async (wanted, signal) => {
      if (signal.aborted || stopping.signal.aborted) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const token = {};
      const found = (): void => resolve();
      waiting.set(token, { wanted, found });
      signal.addEventListener('abort', found);
      looking ??= loop();
      await promise;
      signal.removeEventListener('abort', found);
      waiting.delete(token);
    },
    stop: async () => {
      stopping.abort();
      for (const { found } of waiting.values()) found();
      await looking;
    },
  };
}

/** Does what may fail for a while, until it succeeds; null once `signal` is aborted. */
export async function patiently<T>(work: () => Promise<T>, signal: AbortSignal, logger: Logger): Promise<T | null> {
  while (!signal.aborted) {
    try {
      return await work();
    } catch (err) {
      logger.warn({ err }, 'live events delayed');
      await sleep(WAIT_AFTER_FAILURE_MS, undefined, { signal }).catch(() => undefined);
    }
  }
  return null;
}
