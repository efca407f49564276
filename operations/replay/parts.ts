import type { Client } from '@temporalio/client';
import type { Admin } from 'kafkajs';
import { openDatabase } from '../../database/database.ts';
import type { Database } from '../../database/database.ts';
import { createKafka } from '../../kafka/client/client.ts';
import type { KafkaConnection } from '../../kafka/client/client.ts';
import { createCodec } from '../../kafka/codec/codec.ts';
import type { Codec } from '../../kafka/codec/codec.ts';
import { createRegistry } from '../../kafka/codec/registry.ts';
import { topicSchemas } from '../../kafka/topics.ts';
import type { Config } from '../../platform/config/settings.ts';
import { openTemporal } from '../../temporal/client.ts';
import { createDeploymentMemory } from '../../temporal/memory.ts';

/** What a replay talks to. */
export interface ReplayParts {
  config: Config;
  connection: KafkaConnection;
  /** Connected. */
  admin: Admin;
  db: Database;
  codec: Codec;
  client: Client;
  memory: ReturnType<typeof createDeploymentMemory>;
}

/** Opens the parts for `work` and closes them whatever comes of it. `connection` says how to reach Kafka. */
export async function withReplayParts<T>(
  config: Config,
  connection: KafkaConnection,
  work: (parts: ReplayParts) => Promise<T>,
): Promise<T> {
  const db = openDatabase({
    url: config.DATABASE_URL,
    poolSize: Math.max(4, config.OMS_DATABASE_POOL),
    applicationName: 'oms-replay',
  });
  const registry = createRegistry({ url: config.SCHEMA_REGISTRY_URL });
  const codec = createCodec({ registry, schemas: topicSchemas(config.OMS_PREFIX) });
  const temporal = openTemporal(config);
  const memory = createDeploymentMemory({ db, retention: () => temporal.retention() });
  const admin = createKafka(connection).admin();
  try {
    await admin.connect();
    return await work({ config, connection, admin, db, codec, client: temporal.client, memory });
  } finally {
    await Promise.allSettled([admin.disconnect(), temporal.close(), db.destroy()]);
  }
}
