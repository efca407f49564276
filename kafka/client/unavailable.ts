import { OmsError } from '../../domain/errors.ts';

/** What a client of the cluster failed with, as what it means to us; an error of ours stays as it is. */
export function kafkaUnavailable(what: string, cause: unknown): OmsError {
  if (cause instanceof OmsError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new OmsError('OMS_KAFKA_UNAVAILABLE', `${what}: ${reason}`, { cause });
}
