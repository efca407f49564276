import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../database/database.ts';
import { importEvents } from '../operations/import/import-invoices.ts';
import { rowsOf } from '../operations/import/invoices.ts';
import type { RetailRow } from '../operations/import/invoices.ts';
import { readOrders } from '../operations/import/retail-order.ts';
import { seedPlan } from '../operations/import/seed-plan.ts';
import { openOrderProducer } from '../operations/produce/topic-producer.ts';
import { addPrices } from '../orders/money/price-list.ts';
import { addStock } from '../orders/stock/stock-levels.ts';
import type { Config } from '../platform/config/settings.ts';
import { withDatabase } from '../resources/clients.ts';
import type { OrderEvent } from '../schemas/index.ts';
import { commandResources } from '../resources/profiles.ts';
import { countOrders, exampleOrder, isDone, newAmong } from './demo/counters.ts';
import type { DemoCounts } from './demo/counters.ts';
import { nextSteps, progressLines, summaryText } from './demo/summary.ts';
import type { DemoResult } from './demo/summary.ts';
import { note, print, printJson } from './output.ts';

/** A month of a retailer's real orders; examples/online-retail/README.md says whose. */
export const EXAMPLE_FILE = path.join(
  import.meta.dirname,
  '..',
  'examples',
  'online-retail',
  'online-retail-2010-12.csv.gz',
);
const DAY = '2010-12-01';
const LOOK_EVERY_MS = 500;
/** When nothing has changed for so long, the demo says what is left and ends. */
const PATIENCE_MS = 120_000;

export interface DemoOptions {
  signal?: AbortSignal;
  /** Print the result as JSON. */
  json?: boolean;
}

/**
 * Gives the month's SKUs stock and prices, puts its first day's orders on the topic (those that are new), and shows how
 * they become shipments, invoices and deliveries until each has come to its end or was refused; then a summary. Those
 * that wait for their customer end by the configured time-out. The roles must be running.
 */
export async function runDemo(config: Config, options: DemoOptions = {}): Promise<DemoResult> {
  const { events } = await readOrders(EXAMPLE_FILE, { source: 'online-retail', day: DAY });
  const result = await withDatabase(config, async (db) => {
    await seed(db);
    const started = performance.now();
    const produced = await play(config, db, events);
    const ids = events.map(({ orderId }) => orderId);
    const counts = await watch(db, ids, started, options);
    const seconds = (performance.now() - started) / 1_000;
    const example = await exampleOrder(db, ids);
    return { ...counts, day: DAY, orders: events.length, produced, seconds, example } satisfies DemoResult;
  });
  if (options.signal?.aborted) return result;
  if (options.json) printJson(result);
  else print(`\n${summaryText(result)}\n\n${nextSteps(result.example)}\n`);
  return result;
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

/** Shows the counters until all is done, the run is stopped, or nothing moves any more. */
async function watch(db: Database, ids: readonly string[], started: number, options: DemoOptions): Promise<DemoCounts> {
  const live = createLiveLines(options.json ?? false);
  let [last, changedAt] = ['', performance.now()];
  try {
    for (;;) {
      const counts = await countOrders(db, ids);
      const now = performance.now();
      live.show(progressLines(counts, ids.length, (now - started) / 1_000));
      if (isDone(counts, ids.length) || options.signal?.aborted) return counts;
      const state = JSON.stringify(counts);
      if (state !== last) [last, changedAt] = [state, now];
      if (now - changedAt > PATIENCE_MS) {
        note(`\n${ids.length - counts.closed - counts.refused} orders have not come to their end; they go on.`);
        return counts;
      }
      await sleep(LOOK_EVERY_MS, undefined, { signal: options.signal }).catch(() => undefined);
    }
  } finally {
    live.end();
  }
}

/** Lines that are written over on a terminal, and repeated as one now and then elsewhere. */
interface LiveLines {
  show(lines: readonly string[]): void;
  end(): void;
}

const REPEAT_MS = 5_000;

/** On stderr; `quiet` shows nothing. */
function createLiveLines(quiet: boolean): LiveLines {
  if (quiet) return { show: () => undefined, end: () => undefined };
  return process.stderr.isTTY ? terminalLines() : plainLine();
}

function terminalLines(): LiveLines {
  let drawn = 0;
  const show = (lines: readonly string[]): void => {
    const width = (process.stderr.columns || 80) - 1;
    const back = drawn > 0 ? `\x1b[${drawn}A` : '';
    process.stderr.write(back + lines.map((line) => `\r\x1b[K${line.slice(0, width)}\n`).join(''));
    drawn = lines.length;
  };
  return { show, end: () => undefined };
}

function plainLine(): LiveLines {
  let [toldAt, last] = [-Infinity, ''];
  const tell = (text: string): void => {
    toldAt = performance.now();
    last = '';
    process.stderr.write(`${text}\n`);
  };
  return {
    show: (lines) => {
      last = lines.map((line) => line.trim()).join(' · ');
      if (performance.now() - toldAt >= REPEAT_MS) tell(last);
    },
    end: () => {
      if (last !== '') tell(last);
    },
  };
}
