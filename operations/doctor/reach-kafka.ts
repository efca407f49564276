import type { Admin } from 'kafkajs';
import { OmsError } from '../../domain/errors.ts';
import { versionsApart } from '../../kafka/admin/api-versions.ts';
import type { VersionRange } from '../../kafka/admin/api-versions.ts';
import { probeBroker } from '../../kafka/admin/broker-probe.ts';
import type { KafkaConnection } from '../../kafka/client/client.ts';
import type { Config } from '../../platform/config/settings.ts';

/** What a broker of KAFKA_BROKERS answered, or why not. */
type Probe = { broker: string; versions: Map<number, VersionRange> } | { broker: string; error: OmsError };

export interface ReachedKafka {
  probes: Probe[];
  /** Brokers of the cluster. */
  brokers: number;
}

/**
 * Connects to every broker that is named, then logs in as the roles do.
 * @throws OmsError OMS_KAFKA_UNAVAILABLE, OMS_KAFKA_TLS_FAILED, OMS_KAFKA_PROTOCOL_APART, OMS_KAFKA_LOGIN_FAILED
 */
export async function reachKafka(
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
