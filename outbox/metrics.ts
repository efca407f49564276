import type { Database } from '../database/database.ts';
import { readOutboxDepth } from '../database/outbox/outbox-queue.ts';
import type { OutboxDepth } from '../database/outbox/outbox-queue.ts';
import { COUNTERS, GAUGES, HISTOGRAMS } from '../platform/metric-names.ts';
import { Counter, Gauge, Histogram } from '../platform/metrics.ts';
import type { Registry } from '../platform/metrics.ts';

/** What the publisher counts. */
export interface OutboxMetrics {
  sent: Counter<'topic'>;
  held: Counter<'code'>;
  rejected: Counter;
  delay: Histogram;
}

/** Seconds from an event's commit to its confirmation. */
const DELAY_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** The publisher's metrics; the outbox's depth is read from the database whenever somebody asks. */
export function createOutboxMetrics(options: { metrics: Registry; db: Database; shards: () => number }): OutboxMetrics {
  const registers = [options.metrics];
  gaugeDepth(registers, options.db);
  new Gauge({
    ...GAUGES.outboxShardsHeld,
    help: 'Outbox shards this publisher sends, of 256.',
    registers,
    collect() {
      this.set(options.shards());
    },
  });
  return {
    sent: new Counter({
      ...COUNTERS.outboxSent,
      help: 'Events confirmed by Kafka, repeats included, by topic (without prefix).',
      registers,
    }),
    held: new Counter({
      ...COUNTERS.outboxHeld,
      help: 'Times an event was held back, by error code.',
      registers,
    }),
    rejected: new Counter({
      ...COUNTERS.outboxRejectedSends,
      help: 'Sends that were not confirmed in full and repeated by a new producer.',
      registers,
    }),
    delay: new Histogram({
      ...HISTOGRAMS.outboxDelay,
      help: "From an event's commit until it was marked as sent.",
      buckets: DELAY_BUCKETS,
      registers,
    }),
  };
}

function gaugeDepth(registers: Registry[], db: Database): void {
  const read = createDepthReader(db);
  const gauge = (metric: { name: string }, help: string, part: keyof OutboxDepth): void => {
    new Gauge({
      ...metric,
      help: `${help}, over all publishers.`,
      registers,
      async collect() {
        const depth = await read();
        if (depth) this.set(depth[part]);
      },
    });
  };
  gauge(GAUGES.outboxUnsent, 'Events not yet confirmed by Kafka', 'unsent');
  gauge(GAUGES.outboxHeld, 'Events Kafka would not take', 'held');
  gauge(GAUGES.outboxOldestUnsent, 'Age of the oldest unsent event that waits for no held one', 'oldestSeconds');
}

/** One question for all that ask at the same time; undefined while the database is away, so that the last values stand. */
function createDepthReader(db: Database): () => Promise<OutboxDepth | undefined> {
  let reading: Promise<OutboxDepth | undefined> | undefined;
  return () => {
    reading ??= readOutboxDepth(db)
      .catch(() => undefined)
      .finally(() => {
        reading = undefined;
      });
    return reading;
  };
}
