import type { Connection } from '@temporalio/client';
import type { Database } from '../database/database.ts';
import { OmsError } from '../domain/errors.ts';
import type { KafkaConnection } from '../kafka/client/client.ts';
import { kafkaConnection } from '../kafka/client/connection.ts';
import { isNotAuthorized, kafkaUnavailable } from '../kafka/client/errors.ts';
import type { Config } from '../platform/config/settings.ts';
import { createLogger } from '../platform/logger.ts';
import type { Logger } from '../platform/logger.ts';

// Heavy modules are imported where they are first used, so that `--help` does not wait for them.

/** How long a command waits for a part that does not answer. */
const CONNECT_TIMEOUT_MS = 5_000;
/** Longer than Kafka takes to replace a broker that was lost. */
const COMMAND_PATIENCE_MS = 15_000;

/** What clients log while a command runs: nothing but with OMS_DEBUG, since faults are reported by the command. */
export function commandLogger(config: Config): Logger {
  const destination = { write: (line: string) => void process.stderr.write(line) };
  return createLogger({ role: 'cli', level: config.OMS_DEBUG ? 'debug' : 'silent', destination });
}

/** A command gives up after a few tries, where a role would wait for its cluster. */
export function commandKafka(config: Config): KafkaConnection {
  return {
    ...kafkaConnection(config, 'cli', commandLogger(config)),
    retries: 4,
    connectionTimeoutMs: CONNECT_TIMEOUT_MS,
    patienceMs: COMMAND_PATIENCE_MS,
  };
}

export async function commandDatabase(config: Config): Promise<Database> {
  const { openDatabase } = await import('../database/database.ts');
  return openDatabase({ url: config.DATABASE_URL, poolSize: 4, applicationName: 'oms-cli' });
}

/** @throws OmsError OMS_TEMPORAL_UNAVAILABLE */
export async function commandTemporal(config: Config, connectTimeout = CONNECT_TIMEOUT_MS): Promise<Connection> {
  try {
    const { Connection } = await import('@temporalio/client');
    return await Connection.connect({ address: config.TEMPORAL_ADDRESS, connectTimeout });
  } catch (error) {
    throw temporalError(config, error);
  }
}

export function temporalError(config: Config, cause: unknown): OmsError {
  const at = `Temporal at ${config.TEMPORAL_ADDRESS} (TEMPORAL_ADDRESS)`;
  return new OmsError('OMS_TEMPORAL_UNAVAILABLE', `${at}: ${reasonOf(cause)}`, { cause });
}

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

const NO_SUCH_TABLE = '42P01';

/**
 * Opens the database for `work` and closes it whatever comes of it.
 * @throws OmsError OMS_DATABASE_UNAVAILABLE, or OMS_DATABASE_MIGRATION_BEHIND where the tables are missing
 */
export async function withDatabase<T>(config: Config, work: (db: Database) => Promise<T>): Promise<T> {
  const [db, { databaseError, sqlState }] = [await commandDatabase(config), await import('../database/database.ts')];
  try {
    return await work(db);
  } catch (error) {
    if (sqlState(error) !== NO_SUCH_TABLE) throw databaseError(error);
    throw new OmsError('OMS_DATABASE_MIGRATION_BEHIND', 'the database has no tables yet: run `./oms setup`', {
      cause: error,
    });
  } finally {
    await db.destroy();
  }
}
