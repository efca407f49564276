import { setTimeout as delay } from 'node:timers/promises';
import type { NativeConnection } from '@temporalio/worker';
import type { Admin, Kafka } from 'kafkajs';
import type { Database } from '../database/database.ts';
import type { KafkaConnection } from '../kafka/client/client.ts';
import { kafkaConnection } from '../kafka/client/connection.ts';
import type { Codec } from '../kafka/codec/codec.ts';
import type { RegistryPort } from '../kafka/codec/registry.ts';
import type { Publisher, PublisherOptions } from '../kafka/producer/publisher.ts';
import type { Config } from '../platform/config/settings.ts';
import { lazily } from '../platform/dependencies.ts';
import type { Logger } from '../platform/logger.ts';
import type { Temporal } from '../temporal/client.ts';
import type { Providers } from './providers.ts';

// Heavy modules are imported where they are first needed, so that a command does not wait for what it does not use.

/** How long Kafka is waited for. */
export type KafkaPatience = Pick<
  KafkaConnection,
  'retries' | 'requestTimeoutMs' | 'connectionTimeoutMs' | 'patienceMs'
>;

/** How a process shows itself to what it opens, and how long it waits for it. */
export interface Profile {
  /** Shown in pg_stat_activity. */
  applicationName: string;
  /** Most connections to the database at once. */
  poolSize: number;
  /** Appended to KAFKA_CLIENT_ID. */
  clientId: string;
  /** Of the Kafka clients. */
  logger: Logger;
  /** @default without limit, as roles wait for their cluster */
  kafka?: KafkaPatience;
  /** Where the admin client waits less than the others. */
  admin?: KafkaPatience;
  /** Temporal is connected to at once, and given up after so long. @default connected to when it is first used */
  temporalTimeoutMs?: number;
  /** What has not closed by then is left behind. @default no limit */
  closeWithinMs?: number;
}

/**
 * All that a process works with. A part is opened when it is first asked for, once for all who ask; one that could not be
 * opened is tried again by the next who asks. Whoever has opened the resources closes them: `await using`, or `close()`.
 */
export interface Resources extends AsyncDisposable {
  readonly config: Config;
  /** A pool that connects when it is first used. */
  database(): Promise<Database>;
  registry(): Promise<RegistryPort>;
  /** Of all our topics. */
  codec(): Promise<Codec>;
  /** What kafka/ makes its guarded clients of. @throws OmsError OMS_CONFIG_INVALID */
  kafkaConnection(): KafkaConnection;
  kafka(): Promise<Kafka>;
  /** The admin client, connected or not. */
  admin(): Promise<Admin>;
  /** The same, connected. @throws what kafkajs throws */
  connectedAdmin(): Promise<Admin>;
  /** A publisher of the caller's own, who closes it: how long the rest may take to be sent is the caller's to say. */
  openPublisher: (options?: Omit<PublisherOptions, 'connection'>) => Promise<Publisher>;
  /** @throws OmsError OMS_TEMPORAL_UNAVAILABLE when it is to be connected to at once */
  temporal(): Promise<Temporal>;
  /** The worker's connection. @throws OmsError OMS_TEMPORAL_UNAVAILABLE */
  workerConnection(): Promise<NativeConnection>;
  /** The companies outside. The simulated ones have connections of their own. */
  providers(): Promise<Providers>;
  /** Closes what was opened, the database last. */
  close(): Promise<void>;
}

/** The one place where a role or a command opens what it works with. Nothing is opened before it is asked for. */
export function openResources(config: Config, profile: Profile): Resources {
  const database = lazily(
    () => openDatabase(config, profile),
    (db) => db.destroy(),
  );
  const registry = lazily(() => openRegistry(config));
  const codec = lazily(async () => openCodec(config, await registry.get()));
  const temporal = lazily(
    () => openTemporal(config, profile.temporalTimeoutMs),
    (opened) => opened.close(),
  );
  const worker = lazily(
    () => openWorkerConnection(config),
    (connection) => connection.close(),
  );
  const providers = lazily(
    () => openProviders(config),
    (opened) => opened.close(),
  );
  const { admin, ...kafka } = kafkaParts(config, profile);
  const close = async (): Promise<void> => {
    await Promise.allSettled([temporal, worker, providers, admin].map((part) => part.close()));
    await database.close();
  };
  return {
    ...kafka,
    config,
    database: database.get,
    registry: registry.get,
    codec: codec.get,
    admin: admin.get,
    temporal: temporal.get,
    workerConnection: worker.get,
    providers: providers.get,
    close: () => within(profile.closeWithinMs, close()),
    [Symbol.asyncDispose]: () => within(profile.closeWithinMs, close()),
  };
}

function kafkaParts(config: Config, profile: Profile) {
  const connection = (): KafkaConnection => ({
    ...kafkaConnection(config, profile.clientId, profile.logger),
    ...profile.kafka,
  });
  const admin = lazily(
    async () => (await openKafka({ ...connection(), ...profile.admin })).admin(),
    (client) => client.disconnect(),
  );
  const connectedAdmin = lazily(async () => {
    const client = await admin.get();
    await client.connect();
    return client;
  });
  return {
    admin,
    kafkaConnection: connection,
    kafka: lazily(() => openKafka(connection())).get,
    connectedAdmin: connectedAdmin.get,
    openPublisher: (options: Omit<PublisherOptions, 'connection'> = {}) =>
      openPublisher(config, { ...options, connection: connection() }),
  };
}

async function openDatabase(config: Config, { poolSize, applicationName }: Profile): Promise<Database> {
  const { openDatabase: open } = await import('../database/database.ts');
  return open({ url: config.DATABASE_URL, poolSize, applicationName });
}

async function openRegistry(config: Config): Promise<RegistryPort> {
  const { createRegistry } = await import('../kafka/codec/registry.ts');
  return createRegistry({ url: config.SCHEMA_REGISTRY_URL });
}

async function openCodec(config: Config, registry: RegistryPort): Promise<Codec> {
  const { createCodec } = await import('../kafka/codec/codec.ts');
  const { topicSchemas } = await import('../kafka/topics.ts');
  return createCodec({ registry, schemas: topicSchemas(config.OMS_PREFIX) });
}

async function openKafka(connection: KafkaConnection): Promise<Kafka> {
  const { createKafka } = await import('../kafka/client/client.ts');
  return createKafka(connection);
}

async function openPublisher(config: Config, options: PublisherOptions): Promise<Publisher> {
  const { createPublisher } = await import('../kafka/producer/publisher.ts');
  const { batchLimits } = await import('../kafka/topics.ts');
  return createPublisher({ maxBatchBytes: batchLimits(config.OMS_PREFIX), ...options });
}

async function openTemporal(config: Config, timeoutMs: number | undefined): Promise<Temporal> {
  const temporal = await import('../temporal/client.ts');
  if (timeoutMs === undefined) return temporal.openTemporal(config);
  const { temporalError } = await import('./errors.ts');
  return temporal.reachTemporal(config, timeoutMs).catch((error: unknown) => {
    throw temporalError(config, error);
  });
}

async function openWorkerConnection(config: Config): Promise<NativeConnection> {
  const { connectTemporal } = await import('../temporal/worker-connection.ts');
  return connectTemporal(config);
}

async function openProviders(config: Config): Promise<Providers> {
  const providers = await import('./providers.ts');
  return providers.openProviders(config);
}

/** What hangs must not keep a command from ending. */
async function within(ms: number | undefined, work: Promise<void>): Promise<void> {
  if (ms === undefined) return work;
  const over = new AbortController();
  const late = delay(ms, undefined, { signal: over.signal }).catch(() => undefined);
  await Promise.race([work, late]).finally(() => over.abort());
}
