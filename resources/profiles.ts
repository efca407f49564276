import type { Config } from '../platform/config/settings.ts';
import { createLogger } from '../platform/logger.ts';
import type { Logger } from '../platform/logger.ts';
import type { RoleName } from '../platform/roles.ts';
import { openResources } from './resources.ts';
import type { KafkaPatience, Profile, Resources } from './resources.ts';

/** The publisher reads, marks, and answers the metrics' question at once. */
const PUBLISHER_CONNECTIONS = 3;
const COMMAND_CONNECTIONS = 4;

/** Ingest asks again soon by itself; whoever asks the API waits for the answer. */
const ROLE_ADMINS: Partial<Record<RoleName, KafkaPatience>> = {
  ingest: { retries: 3 },
  api: { retries: 1, patienceMs: 3_000 },
};

/** What a role works with: it waits for its environment as long as it takes. */
export function roleResources(name: RoleName, config: Config, logger: Logger): Resources {
  return openResources(config, {
    applicationName: `oms-${name}`,
    poolSize: name === 'publisher' ? PUBLISHER_CONNECTIONS : config.OMS_DATABASE_POOL,
    clientId: name,
    logger,
    admin: ROLE_ADMINS[name],
  });
}

/** How long a command waits for a part that does not answer. */
const CONNECT_TIMEOUT_MS = 5_000;
/** Longer than Kafka takes to replace a broker that was lost. */
const COMMAND_PATIENCE_MS = 15_000;

/** What clients log while a command runs: nothing but with OMS_DEBUG, since faults are reported by the command. */
export function commandLogger(config: Config): Logger {
  const destination = { write: (line: string) => void process.stderr.write(line) };
  return createLogger({ role: 'cli', level: config.OMS_DEBUG ? 'debug' : 'silent', destination });
}

function commandProfile(config: Config) {
  return {
    applicationName: 'oms-cli',
    poolSize: COMMAND_CONNECTIONS,
    clientId: 'cli',
    logger: commandLogger(config),
    kafka: { retries: 4, connectionTimeoutMs: CONNECT_TIMEOUT_MS, patienceMs: COMMAND_PATIENCE_MS },
    temporalTimeoutMs: CONNECT_TIMEOUT_MS,
  } satisfies Profile;
}

/** What a command works with: it gives up after a few tries, where a role would wait. */
export const commandResources = (config: Config): Resources => openResources(config, commandProfile(config));

/** What a replay works with: a command that runs for hours, and as many steps at once as ingest. */
export function replayResources(config: Config, changes: Partial<Profile> = {}): Resources {
  return openResources(config, {
    ...commandProfile(config),
    applicationName: 'oms-replay',
    poolSize: Math.max(COMMAND_CONNECTIONS, config.OMS_DATABASE_POOL),
    temporalTimeoutMs: undefined,
    ...changes,
  });
}

/** A request or two again, as a fresh cluster needs; no more, since the answer is waited for. */
const DOCTOR_RETRIES = 2;

/** What the doctor looks at. `limitMs` is for one check and what it needs; closing must not keep it from ending, either. */
export function doctorResources(config: Config, limitMs: number): Resources {
  const { kafka, ...command } = commandProfile(config);
  return openResources(config, {
    ...command,
    kafka: { ...kafka, retries: DOCTOR_RETRIES, requestTimeoutMs: limitMs, patienceMs: limitMs / 3 },
    temporalTimeoutMs: limitMs / 2,
    closeWithinMs: limitMs,
  });
}

/** What a role looks at its database with while it runs. */
export function watchResources(config: Config, logger: Logger): Resources {
  return openResources(config, { applicationName: 'oms-watch', poolSize: 1, clientId: 'watch', logger });
}
