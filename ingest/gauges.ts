import type { Database } from '../database/database.ts';
import { countUnclosed } from '../database/ledger/ledger.ts';
import type { ConsumerLoop } from '../kafka/consumer/consumer.ts';
import type { LagReader } from '../kafka/consumer/lag.ts';
import { GAUGES } from '../platform/metric-names.ts';
import { Gauge } from '../platform/metrics.ts';
import type { Registry } from '../platform/metrics.ts';

/**
 * What is measured when /metrics is asked for. Lag comes from the cluster, not from the consumer: a stuck one reports
 * nothing. A part that does not answer leaves its last value.
 */
export function createIngestGauges(options: {
  metrics: Registry;
  db: Database;
  lag: LagReader;
  loop: Pick<ConsumerLoop, 'health'>;
}): void {
  const { metrics, db, lag, loop } = options;
  const registers = [metrics];
  new Gauge({
    ...GAUGES.ingestLag,
    help: 'Records of a partition that are not committed yet.',
    registers,
    async collect() {
      for (const one of await lag.read().catch(() => [])) {
        this.set({ topic: one.topic, partition: one.partition }, Number(one.lag));
      }
    },
  });
  new Gauge({
    ...GAUGES.ingestOldestInFlight,
    help: 'Age of the oldest records being worked on.',
    registers,
    collect() {
      this.set(loop.health().oldestInFlightMs / 1_000);
    },
  });
  new Gauge({
    ...GAUGES.ingestInFlight,
    help: 'Records being worked on.',
    registers,
    collect() {
      this.set(loop.health().inFlight);
    },
  });
  new Gauge({
    ...GAUGES.ingestPaused,
    help: '1 while ingest waits for its environment or for open orders to close; the reason as a label.',
    registers,
    collect() {
      this.reset();
      const reason = loop.health().pausedReason;
      this.set({ reason: reason?.replace(/[: (].*/s, '') ?? '' }, reason === undefined ? 0 : 1);
    },
  });
  new Gauge({
    ...GAUGES.ledgerOrders,
    help: 'Orders in the ledger that are not closed, by state.',
    registers,
    async collect() {
      const counts = await countUnclosed(db).catch(() => undefined);
      if (counts)
        for (const state of ['awaited', 'claimed', 'started'] as const) this.set({ state }, counts.get(state) ?? 0);
    },
  });
}
