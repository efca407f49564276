import { createLockSession } from '../database/outbox/shard-locks.ts';
import type { Publisher } from '../kafka/producer/publisher.ts';
import type { RoleContext, RunningRole } from '../platform/role.ts';
import type { Resources } from '../resources/resources.ts';
import { createOutboxMetrics } from './metrics.ts';
import { createSender, createWake, startSendLoop } from './sender.ts';

/** An unconfirmed send older than this means that Kafka is away. */
const SEND_OVERDUE_MS = 15_000;
/** A loop that did not come round for so long, though Kafka confirms, is stuck for good. */
const STUCK_AFTER_MS = 5 * 60_000;

/** The publisher role: committed events onto their topics. Waits for PostgreSQL and Kafka as long as it takes. */
export async function startPublisherRole(context: RoleContext, resources: Resources): Promise<RunningRole> {
  const { config, logger } = context;
  const db = await resources.database();
  const wake = createWake();
  const locks = createLockSession({
    url: config.DATABASE_URL,
    onWake: wake.now,
    logger,
  });
  const metrics = createOutboxMetrics({ metrics: context.metrics, db, shards: locks.held });
  const publisher = await resources.openPublisher({
    maxRecords: config.OMS_OUTBOX_BATCH,
    hooks: { onRejected: () => metrics.rejected.inc() },
  });
  const sender = createSender({
    db,
    publisher,
    locks,
    prefix: config.OMS_PREFIX,
    batch: config.OMS_OUTBOX_BATCH,
    metrics,
    logger,
  });
  const loop = startSendLoop({ sender, wake, batch: config.OMS_OUTBOX_BATCH, pollMs: config.OMS_OUTBOX_POLL, logger });
  const kafka = (): string | null => kafkaCheck(publisher);
  void publisher.connect().catch((error: unknown) => logger.warn({ err: error }, 'kafka not reached yet'));
  return {
    live: { loop: () => (loop.idleMs() > STUCK_AFTER_MS && kafka() === null ? 'the outbox stands still' : null) },
    ready: { kafka, database: loop.check, locks: locks.check },
    stop: async () => {
      const ended = loop.stop();
      // Half of the grace for what is being sent, so that the rest can end in order.
      await publisher.close({ graceMs: config.OMS_SHUTDOWN_GRACE / 2 });
      await ended;
      await locks.close();
    },
  };
}

function kafkaCheck(publisher: Publisher): string | null {
  const { connected, oldestMs } = publisher.health();
  if (!connected) return 'not connected to Kafka';
  return oldestMs > SEND_OVERDUE_MS ? `a send has waited for ${Math.round(oldestMs / 1_000)} s` : null;
}
