import { Kafka, logLevel } from 'kafkajs';
import type { Admin, AdminConfig, ISocketFactory, KafkaConfig, SASLOptions, LogEntry, logCreator } from 'kafkajs';
import type { Logger } from '../../platform/logger.ts';
import { patientAdmin } from '../admin/patient-admin.ts';
import { registerCompression } from '../codec/compression.ts';

/** How to reach a cluster. Every part of this folder makes its own clients from it. */
export interface KafkaConnection {
  /** `host:port` each. A function is asked again at every reconnect; an empty answer ends all retries. */
  brokers: readonly string[] | (() => readonly string[]);
  clientId: string;
  logger: Logger;
  ssl?: KafkaConfig['ssl'];
  sasl?: SASLOptions;
  socketFactory?: ISocketFactory;
  /**
   * How often a failed request is tried again before it is reported. Waits grow from 100 ms to 5 s.
   * @default no limit: roles wait for their cluster; commands set a small number
   */
  retries?: number;
  /** A request without an answer for so long counts as failed. @default 30 s */
  requestTimeoutMs?: number;
  /** @default 5 s */
  connectionTimeoutMs?: number;
  /** So long an admin client asks again what brokers that come and go have no answer to. @default 30 s */
  patienceMs?: number;
}

/** Every admin client is a patient one. */
class KafkaClient extends Kafka {
  readonly #patienceMs: number | undefined;

  constructor(config: KafkaConfig, patienceMs: number | undefined) {
    super(config);
    this.#patienceMs = patienceMs;
  }

  override admin(config?: AdminConfig): Admin {
    return patientAdmin(super.admin(config), this.#patienceMs);
  }
}

/**
 * A kafkajs client whose log goes to pino and which reads gzip, snappy, lz4 and zstd records.
 * Producers and consumers are not made from it directly: they lose acknowledged records unless guarded
 * (`createPublisher`, `createConsumerLoop`).
 */
export function createKafka(connection: KafkaConnection): Kafka {
  registerCompression();
  const config: KafkaConfig = {
    brokers: brokersOf(connection.brokers),
    clientId: connection.clientId,
    ssl: connection.ssl,
    sasl: connection.sasl,
    socketFactory: connection.socketFactory,
    logLevel: KAFKAJS_LOG_LEVEL,
    logCreator: createKafkaLog(connection.logger),
    connectionTimeout: connection.connectionTimeoutMs ?? 5_000,
    requestTimeout: connection.requestTimeoutMs ?? 30_000,
    retry: retryOptions(connection.retries),
  };
  return new KafkaClient(config, connection.patienceMs);
}

/** kafkajs retry settings: waits from 100 ms to 5 s, without limit unless told. */
export function retryOptions(retries = Number.MAX_SAFE_INTEGER): NonNullable<KafkaConfig['retry']> {
  return { initialRetryTime: 100, maxRetryTime: 5_000, factor: 0.2, multiplier: 2, retries };
}

function brokersOf(brokers: KafkaConnection['brokers']): KafkaConfig['brokers'] {
  return typeof brokers === 'function' ? () => [...brokers()] : [...brokers];
}

/** kafkajs decides with this what it hands over at all; the rest is pino's level. */
const KAFKAJS_LOG_LEVEL = logLevel.INFO;

/**
 * What kafkajs calls an error but is daily life: a fresh broker loading its coordinators, a rebalance, a request it
 * repeats by itself. What is really wrong reaches the log as an error of this folder, with a code.
 */
const EXPECTED =
  /coordinator|not the leader|leadership election|rebalanc|not aware of this member|connection (error|timeout)|closed connection|ECONN|failed to (connect|send messages)|timed out|does not host this topic|^Response /i;

type Level = 'error' | 'warn' | 'info' | 'debug';

function pinoLevel(entry: LogEntry): Level {
  if (entry.level === logLevel.ERROR) return isExpected(entry) ? 'debug' : 'error';
  if (entry.level === logLevel.WARN) return isExpected(entry) ? 'debug' : 'warn';
  // Joins, pauses, starts and stops of consumers: this folder logs its own, in its own words.
  return 'debug';
}

function isExpected(entry: LogEntry): boolean {
  const { message, error } = entry.log as { message: string; error?: unknown };
  return EXPECTED.test(message) || (typeof error === 'string' && EXPECTED.test(error));
}

/** Sends kafkajs' log lines to pino as `kafkajs` with the text and its facts as data. */
export function createKafkaLog(logger: Logger): logCreator {
  const log = logger.child({ component: 'kafkajs' });
  return () => (entry) => {
    const { message, timestamp: _timestamp, logger: _name, ...facts } = entry.log;
    log[pinoLevel(entry)]({ ...facts, namespace: entry.namespace, detail: message }, 'kafkajs');
  };
}
