import type { Database } from '../database/database.ts';
import type { DeadLetter } from '../database/dead-letters.ts';
import { countUnclosed } from '../database/ledger/ledger.ts';
import type { ConsumerLoop } from '../kafka/consumer/consumer.ts';
import type { LagReader } from '../kafka/consumer/lag.ts';
import { COUNTERS, GAUGES } from '../platform/metric-names.ts';
import { Counter, Gauge } from '../platform/metrics.ts';
import type { Registry } from '../platform/metrics.ts';

/** What ingest counts as it goes. */
export interface IngestMetrics {
  /** One record is done, with this outcome. */
  record(outcome: string, offset?: bigint): void;
  deadLetters(letters: readonly DeadLetter[]): void;
  rebalance(): void;
  /** Records were, or may have been, skipped by the cluster. */
  offsetAlert(kind: string): void;
}

/** Public names of outcomes: what a record was in the end. */
const OUTCOMES: Readonly<Record<string, string>> = {
  claim: 'started',
  restart: 'restarted',
  park: 'parked',
  signal: 'signalled',
};

export function createIngestMetrics(registry: Registry): IngestMetrics {
  const records = new Counter({
    ...COUNTERS.ingestRecords,
    help: 'Records of the orders topic that ingest is done with, by outcome.',
    registers: [registry],
  });
  const rebalances = new Counter({
    ...COUNTERS.ingestRebalances,
    help: 'Times the consumer group was shared out anew.',
    registers: [registry],
  });
  const alerts = new Counter({
    ...COUNTERS.ingestOffsetAlerts,
    help: 'Offsets that jumped: records were, or may have been, skipped by the cluster.',
    registers: [registry],
  });
  return {
    rebalance: () => rebalances.inc(),
    offsetAlert: (kind) => alerts.inc({ kind }),
    record: (outcome) => records.inc({ outcome: OUTCOMES[outcome] ?? outcome }),
    deadLetters: createDeadLetterCount(registry),
  };
}

/** Counts dead letters of any topic, by code; asked for again, it is the same counter. */
export function createDeadLetterCount(registry: Registry): (letters: readonly DeadLetter[]) => void {
  const known = registry.getSingleMetric(COUNTERS.deadLetters.name) as Counter<'code'> | undefined;
  const counter =
    known ??
    new Counter({
      ...COUNTERS.deadLetters,
      help: 'Dead letters sent, by error code.',
      registers: [registry],
    });
  return (letters) => {
    for (const { code } of letters) counter.inc({ code });
  };
}

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
