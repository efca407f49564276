import { readFileSync } from 'node:fs';
import type { SASLOptions } from 'kafkajs';
import { OmsError } from '../../domain/errors.ts';
import type { Config } from '../../platform/config/settings.ts';
import type { Logger } from '../../platform/logger.ts';
import type { KafkaConnection } from './client.ts';

/**
 * How a process of the OMS reaches the cluster, from its settings: every client is made of this.
 * @param part appended to the client id: `ingest`, `cli`
 * @throws OmsError OMS_CONFIG_INVALID when settings of TLS and SASL do not go together, or the CA file cannot be read
 */
export function kafkaConnection(config: Config, part: string, logger: Logger): KafkaConnection {
  return {
    brokers: config.KAFKA_BROKERS,
    clientId: `${config.KAFKA_CLIENT_ID}-${part}`,
    logger,
    ...kafkaSecurity(config),
  };
}

/** TLS and SASL of a connection. @throws OmsError OMS_CONFIG_INVALID as above */
export function kafkaSecurity(config: Config): Pick<KafkaConnection, 'ssl' | 'sasl'> {
  const { KAFKA_SSL: isTls, KAFKA_SSL_CA: file } = config;
  if (!isTls && file) throw invalid('KAFKA_SSL_CA is set and KAFKA_SSL is not: set KAFKA_SSL=true');
  const sasl = saslOf(config);
  return {
    ...(isTls ? { ssl: file ? { ca: [certificates(file)] } : true } : {}),
    ...(sasl ? { sasl } : {}),
  };
}

function saslOf(config: Config): SASLOptions | undefined {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = config;
  if (mechanism === '') {
    if (!username && !password) return undefined;
    throw invalid('KAFKA_SASL_USERNAME or KAFKA_SASL_PASSWORD is set and KAFKA_SASL_MECHANISM is not');
  }
  if (!username || !password) throw invalid(`KAFKA_SASL_MECHANISM is ${mechanism}: it needs a username and a password`);
  // PLAIN sends the password as it is.
  if (mechanism === 'plain' && !config.KAFKA_SSL && !config.KAFKA_BROKERS.every(isThisMachine))
    throw invalid(
      'KAFKA_SASL_MECHANISM is plain without TLS: the password could be read on the way; set KAFKA_SSL=true',
    );
  return { mechanism, username, password };
}

const isThisMachine = (broker: string): boolean => /^(127\.\d+\.\d+\.\d+|localhost|\[::1\]):/.test(broker);

function certificates(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw invalid(`KAFKA_SSL_CA is ${file}: it cannot be read (${(error as NodeJS.ErrnoException).code})`, error);
  }
}

const invalid = (rule: string, cause?: unknown): OmsError => new OmsError('OMS_CONFIG_INVALID', rule, { cause });
