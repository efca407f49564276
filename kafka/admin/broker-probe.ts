import { connect, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { OmsError } from '../../domain/errors.ts';
import type { KafkaConnection } from '../client/client.ts';
import { apiVersionsRequest } from './api-versions.ts';
import type { VersionRange } from './api-versions.ts';
import { askRaw } from './raw-request.ts';

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
