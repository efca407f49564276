import type { Connection } from '@temporalio/client';
import type { Admin, Kafka } from 'kafkajs';
import type { Database } from '../../database/database.ts';
import type { KafkaConnection } from '../../kafka/client/client.ts';
import type { Config } from '../../platform/config/settings.ts';
import { commandDatabase, commandKafka, commandTemporal } from '../../resources/clients.ts';
import { createRegistryAdmin } from '../setup/registry-admin.ts';
import type { RegistryAdmin } from '../setup/registry-admin.ts';
import { reachKafka } from './reach-kafka.ts';
import type { ReachedKafka } from './reach-kafka.ts';
import { within } from './run-checks.ts';

/** The parts of a deployment. Each is connected to when it is first asked for, once, for all checks. */
export interface Parts {
  config: Config;
  /** @throws OmsError OMS_KAFKA_* saying whether it is away, TLS or the login */
  kafka: () => Promise<ReachedKafka & { client: Kafka; admin: Admin; connection: KafkaConnection }>;
  /** @throws OmsError OMS_TEMPORAL_UNAVAILABLE */
  temporal: () => Promise<Connection>;
  /** @throws OmsError OMS_DATABASE_UNAVAILABLE */
  database: () => Promise<Database>;
  /** @throws OmsError OMS_REGISTRY_UNAVAILABLE */
  registry: () => Promise<RegistryAdmin>;
  close: () => Promise<void>;
}

/** A request or two again, as a fresh cluster needs; no more, since the answer is waited for. */
const RETRIES = 2;

export function openParts(config: Config, limitMs: number): Parts {
  const closers: (() => Promise<unknown>)[] = [];
  return {
    config,
    kafka: once(async () => {
      const { createKafka } = await import('../../kafka/client/client.ts');
      const connection = {
        ...commandKafka(config),
        retries: RETRIES,
        requestTimeoutMs: limitMs,
        patienceMs: limitMs / 3,
      };
      const client = createKafka(connection);
      const admin = client.admin();
      closers.push(() => admin.disconnect());
      return { ...(await reachKafka(config, admin, connection, limitMs)), client, admin, connection };
    }),
    temporal: once(async () => {
      const connection = await commandTemporal(config, limitMs / 2);
      closers.push(() => connection.close());
      return connection;
    }),
    database: once(async () => {
      const [db, { databaseError }] = [await commandDatabase(config), await import('../../database/database.ts')];
      closers.push(() => db.destroy());
      const { sql } = await import('kysely');
      await sql`select 1`.execute(db).catch((error: unknown) => {
        throw databaseError(error);
      });
      return db;
    }),
    registry: once(async () => {
      const registry = createRegistryAdmin(config.SCHEMA_REGISTRY_URL);
      await registry.versions('oms-doctor');
      return registry;
    }),
    close: async () => {
      // A part that does not answer must not keep the command from ending.
      await Promise.allSettled(closers.map((close) => within(limitMs, close)));
    },
  };
}

/** Calls `make` at the first asking only. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
