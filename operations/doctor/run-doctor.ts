import { externalParts } from '../../local/settings.ts';
import { requireJava } from '../../local/tools.ts';
import type { Resources } from '../../resources/resources.ts';
import { lookAtBrokerClock, lookAtDatabaseClock, lookAtTemporalClock } from './clocks.ts';
import { ok, runChecks } from './finding.ts';
import type { Check, Finding, Verdict } from './finding.ts';
import { lookAtGroups } from './groups.ts';
import { openParts } from './parts.ts';
import type { Parts } from './parts.ts';
import { portVerdicts, readPortMap } from './ports.ts';
import type { PortEntry } from './ports.ts';
import { lookAtDatabase, lookAtDeployment, lookAtRetention, lookAtTemporal, migrated, namespaceOf } from './stores.ts';
import { lookAtKafka, lookAtSubjects, lookAtTopics } from './topics.ts';

export interface Diagnosis {
  /** No fault was found; warnings may have been. */
  ok: boolean;
  findings: Finding[];
  ports: PortEntry[];
}

/**
 * Looks at everything the system stands on, at once, and changes nothing.
 * @param limitMs how long one check may take, and what it needs
 * @throws OmsError OMS_CONFIG_INVALID when settings do not go together
 */
export async function runDoctor(resources: Resources, limitMs: number): Promise<Diagnosis> {
  const ports = await readPortMap(resources.config);
  const findings = await runChecks(checksOf(openParts(resources, limitMs), ports), limitMs);
  return { ok: findings.every(({ level }) => level !== 'fault'), findings, ports };
}

function checksOf(parts: Parts, ports: readonly PortEntry[]): Check[] {
  const { kafka, temporal, database, registry } = parts;
  const { KAFKA_BROKERS: brokers, TEMPORAL_ADDRESS: temporalAddress } = parts.config;
  const tables = (): Promise<void> => migrated(parts);
  const check = (
    name: string,
    slow: Check['slow'],
    look: (parts: Parts) => Promise<Verdict[]>,
    needs: Check['needs'] = {},
    where?: string,
  ): Check => ({ name, slow, needs, look: () => look(parts), ...(where ? { where } : {}) });
  return [
    check('node', 'OMS_CLI_USAGE', () => Promise.resolve([ok(`Node ${process.versions.node}`)])),
    check('java', 'OMS_LOCAL_JAVA_MISSING', lookAtJava),
    check('ports', 'OMS_LOCAL_PORT_TAKEN', () => Promise.resolve(portVerdicts(ports))),
    check('kafka', 'OMS_KAFKA_UNAVAILABLE', lookAtKafka, {}, `${brokers.join(',')} (KAFKA_BROKERS)`),
    check('topics', 'OMS_KAFKA_UNAVAILABLE', lookAtTopics, { kafka }),
    check('registry', 'OMS_REGISTRY_UNAVAILABLE', lookAtRegistry),
    check('subjects', 'OMS_REGISTRY_UNAVAILABLE', lookAtSubjects, { registry }),
    check('temporal', 'OMS_TEMPORAL_UNAVAILABLE', lookAtTemporal, {}, `${temporalAddress} (TEMPORAL_ADDRESS)`),
    check('database', 'OMS_DATABASE_UNAVAILABLE', lookAtDatabase, {}, 'the database of DATABASE_URL'),
    check('deployment', 'OMS_DEPLOYMENT_MISMATCH', lookAtDeployment, { kafka, temporal, database: tables }),
    check('groups', 'OMS_KAFKA_UNAVAILABLE', lookAtGroups, { kafka, database: tables }),
    check('retention', 'OMS_RETENTION_RISK', lookAtRetention, {
      ...{ kafka, namespace: () => namespaceOf(parts), database: tables },
    }),
    check('clock', 'OMS_CLOCK_SKEW', lookAtDatabaseClock, { database }),
    check('clock', 'OMS_CLOCK_SKEW', lookAtBrokerClock, { kafka }),
    check('clock', 'OMS_CLOCK_SKEW', lookAtTemporalClock, { namespace: () => namespaceOf(parts) }),
  ];
}

/** Kafka and the registry of the local stack are Java programs. */
async function lookAtJava(): Promise<Verdict[]> {
  const { kafka, registry } = externalParts();
  if (kafka !== undefined && registry !== undefined) return [ok('not needed: Kafka and the registry run elsewhere')];
  await requireJava();
  return [ok('Java 17 or newer is on the PATH')];
}

async function lookAtRegistry({ config, registry }: Parts): Promise<Verdict[]> {
  await registry();
  return [ok(`answers at ${config.SCHEMA_REGISTRY_URL}`)];
}
