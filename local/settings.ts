import { givenSetting } from '../platform/config/environment.ts';
import { loadConfig, unknownSettings } from '../platform/config/load.ts';
import type { Environment } from '../platform/config/load.ts';
import type { Config } from '../platform/config/settings.ts';
import { readStack } from './state-file.ts';
import type { ComponentName, Endpoints } from './types.ts';

/**
 * The configuration of a command: the environment, a `.env` of the working directory, then the addresses of the local
 * stack of the state directory if there is one, then the defaults.
 * @throws OmsError OMS_CONFIG_INVALID
 */
export async function cliConfig(): Promise<Config> {
  readDotEnv();
  for (const name of unknownSettings()) process.stderr.write(`warning: ${name} is no setting of oms\n`);
  const { OMS_STATE_DIR } = loadConfig();
  const stack = await readStack(OMS_STATE_DIR);
  return loadConfig(undefined, stack ? stackDefaults(stack.endpoints) : {});
}

/** The state directory, if the configuration points at the local stack it belongs to. */
export async function localStateDir(config: Config): Promise<string | undefined> {
  const stack = await readStack(config.OMS_STATE_DIR);
  return stack?.endpoints.databaseUrl === config.DATABASE_URL ? config.OMS_STATE_DIR : undefined;
}

/** The settings that name the parts of a local stack. */
function stackDefaults(endpoints: Endpoints): Environment {
  return {
    KAFKA_BROKERS: endpoints.kafkaBrokers,
    SCHEMA_REGISTRY_URL: endpoints.schemaRegistryUrl,
    TEMPORAL_ADDRESS: endpoints.temporalAddress,
    DATABASE_URL: endpoints.databaseUrl,
  };
}

/** A part whose address is set runs elsewhere. */
export function externalParts(): Partial<Record<ComponentName, string>> {
  return {
    kafka: givenSetting('KAFKA_BROKERS'),
    registry: givenSetting('SCHEMA_REGISTRY_URL'),
    temporal: givenSetting('TEMPORAL_ADDRESS'),
    postgres: givenSetting('DATABASE_URL'),
  };
}

/** Variables that are set win over the file. */
function readDotEnv(): void {
  try {
    process.loadEnvFile('.env');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
