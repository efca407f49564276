import { connect, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { OmsError } from '../../domain/errors.ts';
import type { KafkaConnection } from '../client/client.ts';
import { askRaw } from './raw-request.ts';
import type { RawRequest } from './raw-request.ts';

/** Versions of one request. */
export interface VersionRange {
  min: number;
  max: number;
}

/** Each request this system makes of a broker, and the versions of it kafkajs 2.2.4 can speak. */
export const KAFKAJS_VERSIONS: Readonly<Record<string, VersionRange & { apiKey: number }>> = {
  Produce: { apiKey: 0, min: 0, max: 7 },
  Fetch: { apiKey: 1, min: 0, max: 11 },
  ListOffsets: { apiKey: 2, min: 0, max: 3 },
  Metadata: { apiKey: 3, min: 0, max: 6 },
  OffsetCommit: { apiKey: 8, min: 0, max: 5 },
  OffsetFetch: { apiKey: 9, min: 1, max: 4 },
  FindCoordinator: { apiKey: 10, min: 0, max: 2 },
  JoinGroup: { apiKey: 11, min: 0, max: 5 },
  Heartbeat: { apiKey: 12, min: 0, max: 3 },
  LeaveGroup: { apiKey: 13, min: 0, max: 3 },
  SyncGroup: { apiKey: 14, min: 0, max: 3 },
  DescribeGroups: { apiKey: 15, min: 0, max: 2 },
  ListGroups: { apiKey: 16, min: 0, max: 2 },
  SaslHandshake: { apiKey: 17, min: 0, max: 1 },
  ApiVersions: { apiKey: 18, min: 0, max: 2 },
  CreateTopics: { apiKey: 19, min: 0, max: 3 },
  DeleteTopics: { apiKey: 20, min: 0, max: 1 },
  InitProducerId: { apiKey: 22, min: 0, max: 1 },
  DescribeConfigs: { apiKey: 32, min: 0, max: 2 },
  AlterConfigs: { apiKey: 33, min: 0, max: 1 },
  SaslAuthenticate: { apiKey: 36, min: 0, max: 1 },
  CreatePartitions: { apiKey: 37, min: 0, max: 1 },
  DeleteGroups: { apiKey: 42, min: 0, max: 1 },
};

/** Which versions of each request, by its key, the broker can speak. Brokers answer it before anyone has logged in. */
const apiVersionsRequest: RawRequest<Map<number, VersionRange>> = {
  apiKey: 18,
  apiVersion: 0,
  isFlexible: false,
  body: Buffer.alloc(0),
  read: (answer) => {
    const code = answer.int16();
    if (code !== 0) throw new Error(`ApiVersions was answered with error ${code}`);
    return new Map(answer.array(() => [answer.int16(), { min: answer.int16(), max: answer.int16() }] as const));
  },
};

/**
 * Requests that kafkajs and the broker have no version of in common, in words. kafkajs itself looks at the broker's
 * newest version only, and would fail with an error of the protocol.
 */
export function versionsApart(broker: ReadonlyMap<number, VersionRange>): string[] {
  return Object.entries(KAFKAJS_VERSIONS).flatMap(([name, { apiKey, min, max }]) => {
    const its = broker.get(apiKey);
    if (!its) return [`${name} (the broker has none, kafkajs ${min}-${max})`];
    return its.min <= max && its.max >= min
      ? []
      : [`${name} (the broker has ${its.min}-${its.max}, kafkajs ${min}-${max})`];
  });
}

/** Requests that the next release of the broker may leave kafkajs without: at the oldest version it still takes. */
export function versionsAtTheFloor(broker: ReadonlyMap<number, VersionRange>): string[] {
  return Object.entries(KAFKAJS_VERSIONS).flatMap(([name, { apiKey, max }]) => {
    const its = broker.get(apiKey);
    return its && its.min === max && its.min > 0 ? [name] : [];
  });
}

/**
 * Connects to one broker as the connection says, without logging in, and asks which versions of the protocol it speaks.
 * Unlike kafkajs it tells a broker that is away from one that is spoken to in the wrong way.
 * @param broker `host:port`
 * @throws OmsError OMS_KAFKA_UNAVAILABLE, OMS_KAFKA_TLS_FAILED
 */
export async function probeBroker(
  broker: string,
  ssl: KafkaConnection['ssl'],
  signal: AbortSignal,
): Promise<Map<number, VersionRange>> {
  const socket = await open(broker, ssl, signal);
  try {
    return await askRaw(socket, apiVersionsRequest);
  } catch (error) {
    if (signal.aborted) throw unavailable(broker, 'no answer in time', error);
    throw ssl ? unavailable(broker, messageOf(error), error) : notPlain(broker, error);
  } finally {
    socket.destroy();
  }
}

function open(broker: string, ssl: KafkaConnection['ssl'], signal: AbortSignal): Promise<Socket> {
  const at = broker.lastIndexOf(':');
  const [host, port] = [broker.slice(0, at).replace(/^\[|\]$/g, ''), Number(broker.slice(at + 1))];
  return new Promise((resolve, reject) => {
    let isConnected = false;
    const servername = isIP(host) ? {} : { servername: host };
    const options = { host, port, ...servername, ...(typeof ssl === 'object' ? ssl : {}) };
    const socket = ssl ? connectTls(options, () => resolve(socket)) : connect({ host, port }, () => resolve(socket));
    if (ssl) socket.once('connect', () => (isConnected = true));
    socket.once('error', (error: Error) =>
      reject(isConnected ? tlsFailed(broker, error) : unavailable(broker, messageOf(error), error)),
    );
    const onAbort = (): void => {
      reject(unavailable(broker, 'no answer in time', signal.reason));
      socket.destroy();
    };
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** What is wrong with the certificate, by Node's code; anything else at this point is a port without TLS. */
const CERTIFICATE = /SELF_SIGNED|UNABLE_TO|CERT_|ALTNAME/;

function tlsFailed(broker: string, error: Error): OmsError {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const reason = CERTIFICATE.test(code)
    ? `its certificate is not accepted (${code}): set KAFKA_SSL_CA to the PEM file of the authority that signed it`
    : `it does not speak TLS there (${code || messageOf(error)}): set KAFKA_SSL=false, or KAFKA_BROKERS to its TLS port`;
  return new OmsError('OMS_KAFKA_TLS_FAILED', `Kafka at ${broker}: ${reason}`, { cause: error });
}

function notPlain(broker: string, error: unknown): OmsError {
  const told = `the broker did not answer in Kafka's protocol (${messageOf(error)})`;
  const remedy = 'if that port speaks TLS, set KAFKA_SSL=true; else KAFKA_BROKERS names something that is no broker';
  return new OmsError('OMS_KAFKA_TLS_FAILED', `Kafka at ${broker}: ${told}: ${remedy}`, { cause: error });
}

function unavailable(broker: string, reason: string, cause: unknown): OmsError {
  return new OmsError('OMS_KAFKA_UNAVAILABLE', `Kafka at ${broker} (KAFKA_BROKERS): ${reason}`, { cause });
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message || ((error as NodeJS.ErrnoException).code ?? error.name) : String(error);
