import { readOutboxDepth } from '../database/outbox-queue.ts';
import type { OutboxDepth } from '../database/outbox-queue.ts';
import type { Database } from '../database/database.ts';
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
    name: 'oms_outbox_shards_held',
    help: 'Outbox shards this publisher sends, of 256.',
    registers,
    collect() {
      this.set(options.shards());
    },
  });
  return {
    sent: new Counter({
      name: 'oms_outbox_sent_total',
      help: 'Events confirmed by Kafka, repeats included, by topic (without prefix).',
      labelNames: ['topic'],
      registers,
    }),
    held: new Counter({
      name: 'oms_outbox_held_total',
      help: 'Times an event was held back, by error code.',
      labelNames: ['code'],
      registers,
    }),
    rejected: new Counter({
      name: 'oms_outbox_rejected_sends_total',
      help: 'Sends that were not confirmed in full and repeated by a new producer.',
      registers,
    }),
    delay: new Histogram({
      name: 'oms_outbox_delay_seconds',
      help: "From an event's commit until it was marked as sent.",
      buckets: DELAY_BUCKETS,
      registers,
    }),
  };
}

function gaugeDepth(registers: Registry[], db: Database): void {
  const read = createDepthReader(db);
  const gauge = (name: string, help: string, part: keyof OutboxDepth): void => {
    new Gauge({
      name,
      help: `${help}, over all publishers.`,
      registers,
      async collect() {
        const depth = await read();
        if (depth) this.set(depth[part]);
      },
    });
  };
  gauge('oms_outbox_unsent', 'Events not yet confirmed by Kafka', 'unsent');
  gauge('oms_outbox_held', 'Events Kafka would not take', 'held');
  gauge(
    'oms_outbox_oldest_unsent_seconds',
    'Age of the oldest unsent event that waits for no held one',
    'oldestSeconds',
  );
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
