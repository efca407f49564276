import { readOutboxDepth } from '../database/outbox-queue.ts';
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
export function createOutboxMetrics(options: { metrics: Registry; db: Database; groups: () => number }): OutboxMetrics {
  const registers = [options.metrics];
  gaugeDepth(registers, options.db);
  new Gauge({
    name: 'oms_outbox_groups_held',
    help: 'Groups of outbox shards this publisher sends.',
    registers,
    collect() {
      this.set(options.groups());
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
  const held = new Gauge({
    name: 'oms_outbox_held',
    help: 'Events Kafka would not take, over all publishers.',
    registers,
  });
  const oldest = new Gauge({
    name: 'oms_outbox_oldest_unsent_seconds',
    help: 'Age of the oldest unsent event that is not held, over all publishers.',
    registers,
  });
  new Gauge({
    name: 'oms_outbox_unsent',
    help: 'Events not yet confirmed by Kafka, over all publishers.',
    registers,
    async collect() {
      // While the database is away the last values stand: the other metrics must still be readable.
      const depth = await readOutboxDepth(db).catch(() => undefined);
      if (!depth) return;
      this.set(depth.unsent);
      held.set(depth.held);
      oldest.set(depth.oldestSeconds);
    },
  });
}
