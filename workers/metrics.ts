import type { Database } from '../database/database.ts';
import { countByStatus, openedAndClosedSince } from '../database/read/stats.ts';
import { COUNTERS, GAUGES, HISTOGRAMS } from '../platform/metric-names.ts';
import { Counter, Gauge, Histogram } from '../platform/metrics.ts';
import type { Registry } from '../platform/metrics.ts';

export interface WorkerMetrics {
  activityFailed: (activity: string, code: string) => void;
}

/** From seconds to days: an order is as fast as its carrier. */
const SECONDS = [0.5, 1, 2, 5, 10, 30, 60, 300, 1_800, 7_200, 43_200, 172_800, 604_800];

/** What the worker role measures. Counts of orders are read from the database when they are asked for. */
export function createWorkerMetrics(registry: Registry, db: Database): WorkerMetrics {
  const registers = [registry];
  new Gauge({
    ...GAUGES.orders,
    help: 'Orders by status, of all workers; closed ones as far as they closed in the last 24 h.',
    registers,
    async collect() {
      const counts = await countByStatus(db).catch(() => undefined);
      if (!counts) return;
      this.reset();
      for (const { status, orders } of counts) this.set({ status }, orders);
    },
  });
  createDuration(registry, db);
  const failures = new Counter({
    ...COUNTERS.activityFailures,
    help: 'Attempts of activities that failed, by error code; Bug = none of ours.',
    registers,
  });
  return { activityFailed: (activity, code) => failures.inc({ activity, code }) };
}

/** Each worker observes what closed since it last looked, so one scrape of one worker sees every order once. */
function createDuration(registry: Registry, db: Database): void {
  let since = new Date();
  const histogram: Histogram<'status'> = new Histogram({
    ...HISTOGRAMS.orderDuration,
    help: 'From the claim of an order to its close, by final status, database time; every worker reports all orders.',
    buckets: SECONDS,
    registers: [registry],
    async collect() {
      const from = since;
      since = new Date();
      const closed = await openedAndClosedSince(db, from, since).catch(() => []);
      for (const { status, seconds } of closed) histogram.observe({ status }, seconds);
    },
  });
}
