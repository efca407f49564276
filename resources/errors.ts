import { OmsError } from '../domain/errors.ts';
import { isNotAuthorized, kafkaUnavailable } from '../kafka/client/errors.ts';
import type { Config } from '../platform/config/settings.ts';

/** What a client of Temporal failed with, naming the server and its setting. */
export function temporalError(config: Config, cause: unknown): OmsError {
  const at = `Temporal at ${config.TEMPORAL_ADDRESS} (TEMPORAL_ADDRESS)`;
  return new OmsError('OMS_TEMPORAL_UNAVAILABLE', `${at}: ${reasonOf(cause)}`, { cause });
}

/** What a client of Kafka failed with, naming the cluster and its setting; an error of ours stays as it is. */
export function kafkaError(config: Config, cause: unknown): OmsError {
  if (cause instanceof OmsError) return cause;
  const at = `Kafka at ${config.KAFKA_BROKERS.join(',')} (KAFKA_BROKERS)`;
  if (isNotAuthorized(cause)) {
    const rule = '`./oms setup --print-acls` prints what each login needs';
    return new OmsError('OMS_KAFKA_NOT_AUTHORIZED', `${at}: ${reasonOf(cause)}; ${rule}`, { cause });
  }
  return kafkaUnavailable(at, cause);
}

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
