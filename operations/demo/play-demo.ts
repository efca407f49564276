import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../../database/database.ts';
import { addPrices } from '../../orders/money/price-list.ts';
import { addStock } from '../../orders/stock/stock-levels.ts';
import type { Config } from '../../platform/config/settings.ts';
import { withDatabase } from '../../resources/clients.ts';
import { commandResources } from '../../resources/profiles.ts';
import type { OrderEvent } from '../../schemas/index.ts';
import { importEvents } from '../import/import-invoices.ts';
import { rowsOf } from '../import/invoices.ts';
import type { RetailRow } from '../import/invoices.ts';
import { readOrders } from '../import/retail-order.ts';
import { seedPlan } from '../import/seed-plan.ts';
import { openOrderProducer } from '../produce/topic-producer.ts';
import { countOrders, exampleOrder, isDone, newAmong } from './counters.ts';
import type { DemoCounts } from './counters.ts';

/** A month of a retailer's real orders; examples/online-retail/README.md says whose. */
const EXAMPLE_FILE = path.join(
  import.meta.dirname,
  '..',
  '..',
  'examples',
  'online-retail',
  'online-retail-2010-12.csv.gz',
);
const DAY = '2010-12-01';
const LOOK_EVERY_MS = 500;
/** When nothing has changed for so long, the demo ends with what is left. */
const PATIENCE_MS = 120_000;

/** What the demo has shown. */
export interface DemoResult extends DemoCounts {
  day: string;
  orders: number;
  /** Produced by this run; 0 when the day was played before. */
  produced: number;
  seconds: number;
  example: string | undefined;
}

export interface DemoOptions {
  signal?: AbortSignal;
  /** Called again and again, with the number of orders and how long it has taken. */
  onProgress: (counts: DemoCounts, orders: number, seconds: number) => void;
  /** Nothing moves any more: so many orders have not come to their end. */
  onStalled: (left: number) => void;
}

/**
 * Gives the month's SKUs stock and prices, puts its first day's orders on the topic (those that are new), and watches how
 * they become shipments, invoices and deliveries until each has come to its end or was refused. Those that wait for their
 * customer end by the configured time-out. The roles must be running.
 */
export async function playDemo(config: Config, options: DemoOptions): Promise<DemoResult> {
  const { events } = await readOrders(EXAMPLE_FILE, { source: 'online-retail', day: DAY });
  return withDatabase(config, async (db) => {
    await seed(db);
    const started = performance.now();
    const produced = await play(config, db, events);
    const ids = events.map(({ orderId }) => orderId);
    const counts = await watch(db, ids, started, options);
    const seconds = (performance.now() - started) / 1_000;
    const example = await exampleOrder(db, ids);
    return { ...counts, day: DAY, orders: events.length, produced, seconds, example };
  });
}

async function seed(db: Database): Promise<void> {
  const rows: RetailRow[] = [];
  for await (const row of rowsOf(EXAMPLE_FILE)) rows.push(row);
  const plan = seedPlan(rows);
  await addStock(db, plan.levels);
  await addPrices(db, plan.prices);
}

/** Produces the orders that are new; returns how many. */
async function play(config: Config, db: Database, events: readonly OrderEvent[]): Promise<number> {
  const fresh = await newAmong(
    db,
    events.map(({ orderId }) => orderId),
  );
  if (fresh.size === 0) return 0;
  await using resources = commandResources(config);
  const producer = await openOrderProducer(resources);
  try {
    const wanted = events.filter(({ orderId }) => fresh.has(orderId));
    return (await importEvents({ producer, events: wanted, rate: 0 })).produced;
  } finally {
    await producer.close();
  }
}

/** Looks at the counters until all is done, it is stopped, or nothing moves any more. */
async function watch(db: Database, ids: readonly string[], started: number, options: DemoOptions): Promise<DemoCounts> {
  let [last, changedAt] = ['', performance.now()];
  for (;;) {
    const counts = await countOrders(db, ids);
    const now = performance.now();
    options.onProgress(counts, ids.length, (now - started) / 1_000);
    if (isDone(counts, ids.length) || options.signal?.aborted) return counts;
    const state = JSON.stringify(counts);
    if (state !== last) [last, changedAt] = [state, now];
    if (now - changedAt > PATIENCE_MS) {
      options.onStalled(ids.length - counts.closed - counts.refused);
      return counts;
    }
    await sleep(LOOK_EVERY_MS, undefined, { signal: options.signal }).catch(() => undefined);
  }
}
