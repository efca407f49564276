import type { Endpoints } from './types.ts';

/** The settings that point a role, a command or a test at these endpoints. */
export function endpointVariables(endpoints: Endpoints): Record<string, string> {
  return {
    KAFKA_BROKERS: endpoints.kafkaBrokers,
    SCHEMA_REGISTRY_URL: endpoints.schemaRegistryUrl,
    TEMPORAL_ADDRESS: endpoints.temporalAddress,
    DATABASE_URL: endpoints.databaseUrl,
  };
}
