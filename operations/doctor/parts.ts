import type { Connection } from '@temporalio/client';
import type { Admin, Kafka } from 'kafkajs';
import type { Database } from '../../database/database.ts';
import { OmsError } from '../../domain/errors.ts';
import { probeBroker, versionsApart } from '../../kafka/admin/api-versions.ts';
import type { VersionRange } from '../../kafka/admin/api-versions.ts';
import type { KafkaConnection } from '../../kafka/client/client.ts';
import type { Config } from '../../platform/config/settings.ts';
import type { Resources } from '../../resources/resources.ts';
import { createRegistryAdmin } from '../setup/subjects.ts';
import type { RegistryAdmin } from '../setup/subjects.ts';

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
}

/** @param limitMs how long Kafka may take to answer */
export function openParts(resources: Resources, limitMs: number): Parts {
  const { config } = resources;
  return {
    config,
    kafka: once(async () => {
      const connection = resources.kafkaConnection();
      const [client, admin] = [await resources.kafka(), await resources.admin()];
      return { ...(await reachKafka(config, admin, connection, limitMs)), client, admin, connection };
    }),
    temporal: once(async () => (await resources.temporal()).connection),
    database: once(async () => {
      const [db, { databaseError }] = [await resources.database(), await import('../../database/database.ts')];
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
  };
}

/** Calls `make` at the first asking only: what failed for one check has failed for all of them. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

/** What a broker of KAFKA_BROKERS answered, or why not. */
type Probe = { broker: string; versions: Map<number, VersionRange> } | { broker: string; error: OmsError };

interface ReachedKafka {
  probes: Probe[];
  /** Brokers of the cluster. */
  brokers: number;
}

/**
 * Connects to every broker that is named, then logs in as the roles do.
 * @throws OmsError OMS_KAFKA_UNAVAILABLE, OMS_KAFKA_TLS_FAILED, OMS_KAFKA_PROTOCOL_APART, OMS_KAFKA_LOGIN_FAILED
 */
async function reachKafka(
  config: Config,
  admin: Admin,
  connection: KafkaConnection,
  limitMs: number,
): Promise<ReachedKafka> {
  const signal = AbortSignal.timeout(limitMs / 2);
  const probes = await Promise.all(config.KAFKA_BROKERS.map((broker) => probe(broker, connection, signal)));
  const failed = probes.flatMap((one) => ('error' in one ? [one.error] : []));
  if (failed[0] && failed.length === probes.length) throw failed[0];
  for (const one of probes) {
    const apart = 'versions' in one ? versionsApart(one.versions) : [];
    if (apart.length > 0) throw protocolApart(one.broker, apart);
  }
  return { probes, brokers: await logIn(config, admin) };
}

async function probe(broker: string, { ssl }: KafkaConnection, signal: AbortSignal): Promise<Probe> {
  try {
    return { broker, versions: await probeBroker(broker, ssl, signal) };
  } catch (error) {
    return { broker, error: error as OmsError };
  }
}

function protocolApart(broker: string, requests: string[]): OmsError {
  return new OmsError(
    'OMS_KAFKA_PROTOCOL_APART',
    `Kafka at ${broker} and kafkajs have no version in common of ${requests.join(', ')}`,
  );
}

/** The broker has answered already: what fails now is the login. */
async function logIn(config: Config, admin: Admin): Promise<number> {
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers.length;
  } catch (error) {
    throw loginFailed(config, error);
  }
}

function loginFailed(config: Config, error: unknown): OmsError {
  const reason = error instanceof Error ? error.message : String(error);
  const at = `Kafka at ${config.KAFKA_BROKERS.join(',')}`;
  const { KAFKA_SASL_MECHANISM: mechanism } = config;
  const told = mechanism
    ? `refuses the login with ${mechanism} as ${config.KAFKA_SASL_USERNAME}`
    : 'ends a connection that does not log in: it wants SASL, and KAFKA_SASL_MECHANISM is not set';
  return new OmsError('OMS_KAFKA_LOGIN_FAILED', `${at} ${told} (${reason})`, { cause: error });
}
