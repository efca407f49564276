import pg from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import { feedEnd, readFeed } from '../database/outbox-feed.ts';
import type { FeedEvent, FeedPosition } from '../database/outbox-feed.ts';
import type { Database } from '../database/database.ts';
import { OUTBOX_CHANNEL } from '../database/outbox.ts';
import type { Logger } from '../platform/logger.ts';

/** Tells this process's listeners of every event the OMS tells, soon after it is committed. */
export interface Feed {
  /** Called with batches in feed order, from now on. Returns how to end it. */
  listen(listener: (events: readonly FeedEvent[]) => void): () => void;
  stop(): Promise<void>;
}

const BATCH = 1_000;
/** Announcements are gathered for so long; without any the outbox is looked at this often while somebody listens. */
const GATHER_MS = 50;
const POLL_MS = 1_000;

/** One reader of the outbox for all live streams of this process; it reads nothing while nobody listens. */
export function createFeed(options: { db: Database; url: string; logger: Logger }): Feed {
  const { db, logger } = options;
  const listeners = new Set<(events: readonly FeedEvent[]) => void>();
  const stopping = new AbortController();
  let wake: () => void = () => undefined;
  let position: FeedPosition | undefined;
  let client: pg.Client | undefined;

  const subscribe = async (): Promise<void> => {
    const fresh = new pg.Client({ connectionString: options.url, application_name: 'oms-api-feed' });
    fresh.on('error', () => (client = undefined));
    fresh.on('notification', () => wake());
    await fresh.connect();
    await fresh.query(`listen ${OUTBOX_CHANNEL}`);
    client = fresh;
  };
  const round = async (): Promise<void> => {
    if (!client) await subscribe();
    position ??= await feedEnd(db);
    const events = await readFeed(db, position, BATCH);
    position = events.at(-1)?.position ?? position;
    if (events.length > 0) for (const listener of listeners) listener(events);
    if (events.length < BATCH) await pause();
  };
  const pause = async (): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    wake = resolve;
    const timer = setTimeout(resolve, POLL_MS);
    await promise;
    clearTimeout(timer);
    if (!stopping.signal.aborted) await sleep(GATHER_MS);
  };
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        if (listeners.size > 0) await round();
        else await idle();
      } catch (err) {
        logger.warn({ err }, 'live events delayed');
        await sleep(POLL_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    }
  };
  /** What is told while nobody listens is nobody's. */
  const idle = async (): Promise<void> => {
    position = undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    wake = resolve;
    await promise;
  };
  const ended = loop();
  return {
    listen: (listener) => {
      listeners.add(listener);
      wake();
      return () => void listeners.delete(listener);
    },
    stop: async () => {
      stopping.abort();
      wake();
      await ended;
      await client?.end();
    },
  };
}
