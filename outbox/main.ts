import { openDatabase } from '../database/database.ts';
import { createLockSession } from '../database/outbox/shard-locks.ts';
import { kafkaConnection } from '../kafka/client/connection.ts';
import { createPublisher } from '../kafka/producer/publisher.ts';
import type { Publisher } from '../kafka/producer/publisher.ts';
import { batchLimits } from '../kafka/topics.ts';
import type { RoleContext, RunningRole } from '../platform/role.ts';
import { createOutboxMetrics } from './metrics.ts';
import { createSender, createWake, startSendLoop } from './sender.ts';

/** Reading, marking and the metrics' question, at once. */
const CONNECTIONS = 3;
/** An unconfirmed send older than this means that Kafka is away. */
const SEND_OVERDUE_MS = 15_000;
/** A loop that did not come round for so long, though Kafka confirms, is stuck for good. */
const STUCK_AFTER_MS = 5 * 60_000;

/** The publisher role: committed events onto their topics. Waits for PostgreSQL and Kafka as long as it takes. */
export async function startPublisherRole(context: RoleContext): Promise<RunningRole> {
  const { config, logger } = context;
  const db = openDatabase({ url: config.DATABASE_URL, poolSize: CONNECTIONS, applicationName: 'oms-publisher' });
  const wake = createWake();
  const locks = createLockSession({
    url: config.DATABASE_URL,
    onWake: wake.now,
    logger,
  });
  const metrics = createOutboxMetrics({ metrics: context.metrics, db, shards: locks.held });
  const publisher = createPublisher({
    connection: kafkaConnection(config, 'publisher', logger),
    maxBatchBytes: batchLimits(config.OMS_PREFIX),
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
      await db.destroy();
    },
  };
}

function kafkaCheck(publisher: Publisher): string | null {
  const { connected, oldestMs } = publisher.health();
  if (!connected) return 'not connected to Kafka';
  return oldestMs > SEND_OVERDUE_MS ? `a send has waited for ${Math.round(oldestMs / 1_000)} s` : null;
}
