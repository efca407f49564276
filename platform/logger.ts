import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';

export type { Logger } from 'pino';

/** Where personal data or a secret could stand in a logged object. Redacted, never dropped in silence. */
const REDACTED = [
  'password',
  'secret',
  'token',
  'authorization',
  'databaseUrl',
  'DATABASE_URL',
  'KAFKA_SASL_PASSWORD',
  'email',
  'phone',
  'shipTo',
  'address',
  'customerName',
]
  .flatMap((key) => [key, `*.${key}`, `*.*.${key}`])
  // PostgreSQL puts rows and values beside its messages.
  .concat('err.detail', 'err.where');

/**
 * A role's logger: JSON lines, one fixed phrase a message, the facts in the object.
 * Keys in use: orderId, workflowId, runId, topic, partition, offset, code, err.
 */
export function createLogger(options: { role: string; level: string; destination?: DestinationStream }): Logger {
  const settings = {
    level: options.level,
    base: { role: options.role, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: REDACTED, censor: '[redacted]' },
  };
  return options.destination ? pino(settings, options.destination) : pino(settings);
}
