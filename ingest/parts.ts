import type { Admin } from 'kafkajs';
import { sql } from 'kysely';
import type { Database } from '../database/database.ts';
import { assertMigrated } from '../database/migrate.ts';
import { OmsError } from '../domain/errors.ts';
import { topicsThere } from '../kafka/admin/topics-there.ts';
import type { KafkaConnection } from '../kafka/client/client.ts';
import type { Codec } from '../kafka/codec/codec.ts';
import { createLagReader, joinLagReaders } from '../kafka/consumer/lag.ts';
import type { LagReader } from '../kafka/consumer/lag.ts';
import type { Publisher } from '../kafka/producer/publisher.ts';
import { groupName, subjectOf, topicNames } from '../kafka/topics.ts';
import type { Probe } from '../platform/dependencies.ts';
import type { RoleContext } from '../platform/role.ts';
import type { Resources } from '../resources/resources.ts';
import { orderEventSchema } from '../schemas/index.ts';
import type { Temporal } from '../temporal/client.ts';
import { createDeploymentMemory, reportRetention } from '../temporal/retention.ts';
import type { Memory } from '../temporal/retention.ts';

/** What ingest talks to. Nothing connects before it is used. */
export interface Parts {
  connection: KafkaConnection;
  db: Database;
  codec: Codec;
  publisher: Publisher;
  temporal: Temporal;
  lag: LagReader;
  /** What the ledger and Temporal remember; read before ingest begins. */
  memory: Memory;
  /** Says in the log how long topics, Temporal and ledger remember; once the parts are there. */
  reportRetention(): Promise<void>;
  /** What has to be there before ingest begins. */
  needs: Record<string, Probe>;
  /** What has to answer while it runs. */
  answers: Record<'database' | 'temporal' | 'registry', Probe>;
  /** Sends what is queued; the resources are closed by whoever opened them. */
  close(): Promise<void>;
}

/** What ingest is made of, on these resources. */
export async function createParts({ config, logger }: RoleContext, resources: Resources): Promise<Parts> {
  const { OMS_PREFIX: prefix } = config;
  const topics = topicNames(prefix);
  const connection = resources.kafkaConnection();
  const [db, registry, codec] = [await resources.database(), await resources.registry(), await resources.codec()];
  const [publisher, temporal, admin] = [
    await resources.openPublisher(),
    await resources.temporal(),
    await resources.admin(),
  ];
  const lagOf = (group: string, topic: string): LagReader =>
    createLagReader({ admin, groupId: groupName(prefix, group), topics: [topic] });
  const lag = joinLagReaders([
    lagOf('ingest', topics.orders),
    lagOf('stock', topics['stock-levels']),
    lagOf('carrier', topics['carrier-updates']),
  ]);
  const memory = createDeploymentMemory({ db, retention: () => temporal.retention() });
  return {
    ...{ connection, db, codec, publisher, temporal, lag, memory },
    needs: {
      database: () => assertMigrated(db),
      temporal: () => temporal.check(),
      memory: () => memory.load(),
      registry: () => codec.load(),
      kafka: async () => {
        await resources.connectedAdmin();
        const { orders, 'stock-levels': levels, 'carrier-updates': updates, 'orders.dlq': letters } = topics;
        await assertTopics(admin, [orders, levels, updates, letters]);
      },
    },
    answers: {
      database: () => sql`select 1`.execute(db),
      temporal: () => temporal.check(),
      registry: () => registry.idOf(subjectOf(topics.orders), orderEventSchema),
    },
    reportRetention: () => reportRetention({ admin, db, prefix, retention: () => temporal.retention() }, logger),
    close: () => publisher.close({ graceMs: config.OMS_SHUTDOWN_GRACE / 4 }),
  };
}

/** @throws OmsError OMS_KAFKA_TOPIC_MISSING, OMS_KAFKA_NOT_AUTHORIZED (both retryable) naming what is missing */
async function assertTopics(admin: Admin, topics: readonly string[]): Promise<void> {
  const there = await topicsThere(admin, topics);
  const missing = topics.filter((topic) => !there.has(topic)).join(', ');
  if (missing) throw new OmsError('OMS_KAFKA_TOPIC_MISSING', `${missing} does not exist: run \`oms setup\``);
}
