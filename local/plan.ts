import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { javaParts } from './downloads.ts';
import type { JavaParts } from './downloads.ts';
import { createGuard } from './guard.ts';
import type { Guard } from './guard.ts';
import { createKafka } from './kafka.ts';
import { freePorts } from './ports.ts';
import { createPostgres, databaseUrl } from './postgres.ts';
import { createRegistry, registryUrl } from './registry.ts';
import { createTemporal } from './temporal.ts';
import type { Component, ComponentName, Endpoints, Ports } from './types.ts';

export interface PlanOptions {
  stateDir: string;
  ports: Ports;
  ephemeral?: boolean;
  external?: Partial<Record<ComponentName, string>>;
  temporalBinary?: string;
  signal?: AbortSignal;
}

/** What is to run where. */
export interface Plan {
  stateDir: string;
  components: Component[];
  endpoints: Endpoints;
  /** Only of an ephemeral stack. */
  guard?: Guard;
}

/** The stack as the options ask for it; an ephemeral one gets its directory and ports here. */
export async function makePlan(options: PlanOptions): Promise<Plan> {
  return options.ephemeral ? ephemeralPlan(options) : planAt(path.resolve(options.stateDir), options.ports, options);
}

async function ephemeralPlan(options: PlanOptions): Promise<Plan> {
  const [kafka = 0, registry = 0, temporal = 0, temporalUi = 0, postgres = 0] = await freePorts(5);
  const stateDir = await mkdtemp(path.join(tmpdir(), 'oms-'));
  // The user PostgreSQL runs as under root passes through it.
  await chmod(stateDir, 0o711);
  const plan = planAt(stateDir, { kafka, registry, temporal, temporalUi, postgres }, options);
  return { ...plan, guard: createGuard(stateDir) };
}

function planAt(stateDir: string, ports: Ports, options: PlanOptions): Plan {
  const external = options.external ?? {};
  const all = componentsOf(stateDir, ports, options);
  return {
    stateDir,
    components: all.filter(({ name }) => external[name] === undefined),
    endpoints: endpointsOf(ports, external),
  };
}

function componentsOf(stateDir: string, ports: Ports, options: PlanOptions): Component[] {
  const dir = (name: ComponentName): string => path.join(stateDir, name);
  const parts = sharedParts(options.signal);
  const temporal = { port: ports.temporal, uiPort: ports.temporalUi, binary: options.temporalBinary ?? '' };
  return [
    createKafka({ dir: dir('kafka'), port: ports.kafka, parts }),
    createRegistry({ dir: dir('registry'), port: ports.registry, parts }),
    createTemporal({ dir: dir('temporal'), ...temporal }),
    createPostgres({ dir: dir('postgres'), port: ports.postgres, ephemeral: options.ephemeral ?? false }),
  ];
}

/** Kafka and the registry come by one download; both tell of it. */
function sharedParts(signal: AbortSignal | undefined): (report: (detail: string) => void) => Promise<JavaParts> {
  const reports: ((detail: string) => void)[] = [];
  let fetched: Promise<JavaParts> | undefined;
  return (report) => {
    reports.push(report);
    fetched ??= javaParts((detail) => reports.forEach((tell) => tell(detail)), signal);
    return fetched;
  };
}

function endpointsOf(ports: Ports, external: Partial<Record<ComponentName, string>>): Endpoints {
  return {
    kafkaBrokers: external.kafka ?? `127.0.0.1:${ports.kafka}`,
    schemaRegistryUrl: external.registry ?? registryUrl(ports.registry),
    temporalAddress: external.temporal ?? `127.0.0.1:${ports.temporal}`,
    temporalUiUrl: external.temporal === undefined ? `http://127.0.0.1:${ports.temporalUi}` : undefined,
    databaseUrl: external.postgres ?? databaseUrl(ports.postgres),
  };
}
