import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import { addPrices } from '../../orders/money/price-list.ts';
import { addStock } from '../../orders/stock/stock-levels.ts';
import type { Config } from '../../platform/config/settings.ts';
import { withDatabase } from '../../resources/clients.ts';
import { commandResources } from '../../resources/profiles.ts';
import type { OrderEvent } from '../../schemas/index.ts';
import { importEvents } from '../import/import-invoices.ts';
import { readOrders, rowsOf } from '../import/retail-order.ts';
import type { RetailRow } from '../import/retail-order.ts';
import { seedPlan } from '../import/seed-plan.ts';
import { openOrderProducer } from '../produce/topic-producer.ts';

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

/** Statuses of shipments the carrier has, or had. */
const HANDED_OVER = ['dispatched', 'deliveryFailed', 'delivered', 'returned'];

/** How far a set of orders has come, as the database has it. */
export interface DemoCounts {
  /** In the ledger with a workflow. */
  started: number;
  /** Refused: on the dead letter topic, acknowledged. */
  refused: number;
  /** Orders that have come to their end. */
  closed: number;
  /** Waiting for their customer's decision. */
  waiting: number;
  shipped: number;
  delivered: number;
  invoices: number;
  /** Committed events that are not on their topic yet. */
  unsent: number;
  statuses: Record<string, number>;
  /** On the topics. */
  events: Record<string, number>;
  /** By error code. */
  deadLetters: Record<string, number>;
  /** Invoiced by currency, minor units. */
  invoiced: Record<string, number>;
}

interface Counted {
  what: string;
  name: string;
  n: number;
}

/** Counts everything about these orders in one question. */
async function countOrders(db: Database, orderIds: readonly string[]): Promise<DemoCounts> {
  const ids = [...orderIds];
  const { rows } = await sql<Counted>`
    select 'ledger' as what, state as name, count(*) as n from ledger where order_id = any(${ids}) group by state
    union all select 'status', status, count(*) from orders where order_id = any(${ids}) group by status
    union all select 'shipment', status, count(*) from shipments where order_id = any(${ids}) group by status
    union all select 'invoiced', currency::text, coalesce(sum(total), 0)::bigint from invoices where order_id = any(${ids}) group by currency
    union all select 'invoices', 'all', count(*) from invoices where order_id = any(${ids})
    union all select case when sent_at is null then 'unsent' else 'event' end, topic, count(*)
      from outbox where order_id = any(${ids}) group by 1, 2
    union all select case when sent_at is null then 'unsent' else 'dead letter' end, code, count(*)
      from dead_letters where order_id = any(${ids}) group by 1, 2
    union all select 'refused', 'all', count(distinct d.order_id) from dead_letters d
      where d.order_id = any(${ids}) and d.sent_at is not null
        and not exists (select from ledger l where l.order_id = d.order_id)
  `.execute(db);
  return fromRows(rows);
}

function fromRows(rows: readonly Counted[]): DemoCounts {
  const of = (what: string): Record<string, number> =>
    Object.fromEntries(rows.filter((row) => row.what === what).map(({ name, n }) => [name, n]));
  const [ledger, statuses, shipments] = [of('ledger'), of('status'), of('shipment')];
  return {
    started: (ledger.started ?? 0) + (ledger.closed ?? 0),
    refused: of('refused').all ?? 0,
    closed: ledger.closed ?? 0,
    waiting: statuses.customerActionRequired ?? 0,
    shipped: HANDED_OVER.reduce((sum, status) => sum + (shipments[status] ?? 0), 0),
    delivered: shipments.delivered ?? 0,
    invoices: of('invoices').all ?? 0,
    unsent: Object.values(of('unsent')).reduce((sum, n) => sum + n, 0),
    statuses,
    events: of('event'),
    deadLetters: of('dead letter'),
    invoiced: of('invoiced'),
  };
}

/** The orders among these that are new: neither in the ledger nor refused before. */
async function newAmong(db: Database, orderIds: readonly string[]): Promise<Set<string>> {
  const { rows } = await sql<{ id: string }>`
    select wanted.id from unnest(${[...orderIds]}::text[]) as wanted(id)
    where not exists (select from ledger l where l.order_id = wanted.id)
      and not exists (select from dead_letters d where d.order_id = wanted.id)
  `.execute(db);
  return new Set(rows.map(({ id }) => id));
}

/** An order worth looking at: completed, with as many shipments as possible. */
async function exampleOrder(db: Database, orderIds: readonly string[]): Promise<string | undefined> {
  const { rows } = await sql<{ order_id: string }>`
    select o.order_id from orders o join fulfillments f using (order_id)
    where o.order_id = any(${[...orderIds]}) and o.status = 'completed'
    group by o.order_id order by count(*) desc, o.order_id limit 1
  `.execute(db);
  return rows[0]?.order_id;
}

/** Whether every order has either come to its end or been refused, and all of their events are on the topics. */
function isDone(counts: DemoCounts, orders: number): boolean {
  return counts.closed + counts.refused >= orders && counts.unsent === 0;
}
