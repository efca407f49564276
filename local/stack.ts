import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { OmsError } from '../domain/errors.ts';
import { startComponent, stopComponent } from './component.ts';
import type { StartContext } from './component.ts';
import { javaParts } from './downloads.ts';
import type { JavaParts } from './downloads.ts';
import { createGuard } from './guard.ts';
import type { Guard } from './guard.ts';
import { createKafka } from './kafka.ts';
import { freePorts } from './ports.ts';
import { createPostgres, databaseUrl } from './postgres.ts';
import { endProcess, identify, isRunning } from './processes.ts';
import { createRegistry, registryUrl } from './registry.ts';
import { createRecorder, readStack } from './state-file.ts';
import type { Recorder, StackRecord } from './state-file.ts';
import { createTemporal } from './temporal.ts';
import { requireSpace } from './tools.ts';
import { COMPONENTS } from './types.ts';
import type { Component, ComponentName, Endpoints, OnProgress, Ports, ProcessIdentity } from './types.ts';

export { readStack } from './state-file.ts';
export type { StackRecord } from './state-file.ts';
export type { ComponentName, Endpoints, OnProgress, Ports, Progress } from './types.ts';

/** Room to run in; a first run asks for more where it downloads. */
const RUN_GIB = 0.5;
/** `oms up` needs this long at most to stop its roles and the stack. */
const SUPERVISOR_GRACE_MS = 90_000;

const STOP_SIGNALS: Record<ComponentName, 'SIGTERM' | 'SIGINT'> = {
  kafka: 'SIGTERM',
  registry: 'SIGTERM',
  temporal: 'SIGTERM',
  postgres: 'SIGINT',
};

export interface StackOptions {
  /** Where the state is kept. Not used when ephemeral. */
  stateDir: string;
  /** Not used when ephemeral: free ports are taken. */
  ports: Ports;
  /** A fresh temporary directory, removed at stop; ends with this process, even if that is killed. */
  ephemeral?: boolean;
  /** Parts that run elsewhere, by the value of their setting; they are not started. */
  external?: Partial<Record<ComponentName, string>>;
  /** See OMS_TEMPORAL_BIN. */
  temporalBinary?: string;
  onProgress?: OnProgress;
  /** Calls the start off: what was started is stopped again. */
  signal?: AbortSignal;
}

/** A running stack. */
export interface Stack {
  readonly stateDir: string;
  readonly endpoints: Endpoints;
  readonly recorder: Recorder;
  /** The parts of ours that no longer run. */
  ended(): Promise<ComponentName[]>;
  /** Starts a part again, with the same data on the same port. */
  revive(name: ComponentName): Promise<void>;
  /** Stops every part we run; an ephemeral stack's directory goes with it. */
  stop(): Promise<void>;
}

interface Plan {
  stateDir: string;
  components: Component[];
  endpoints: Endpoints;
  guard?: Guard;
}

/**
 * Starts the parts in parallel and resolves when all answer. A part that still runs from before is used on.
 * @throws OmsError OMS_LOCAL_* with the remedy; what was started by this call is stopped then
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const plan = options.ephemeral
    ? await ephemeralPlan(options)
    : makePlan(path.resolve(options.stateDir), options.ports, options);
  await requireSpace(plan.stateDir, RUN_GIB);
  const recorder = await openRecord(plan);
  const stack = stackOf(plan, recorder, options);
  try {
    await startAll(plan, recorder, options);
  } catch (error) {
    await stack.stop();
    throw error;
  }
  return stack;
}

function makePlan(stateDir: string, ports: Ports, options: StackOptions): Plan {
  const external = options.external ?? {};
  const dir = (name: ComponentName): string => path.join(stateDir, name);
  let parts: Promise<JavaParts> | undefined;
  // Kafka and the registry come by one download.
  const javaOnce = (report: (detail: string) => void): Promise<JavaParts> =>
    (parts ??= javaParts(report, options.signal));
  const all = [
    createKafka({ dir: dir('kafka'), port: ports.kafka, parts: javaOnce }),
    createRegistry({ dir: dir('registry'), port: ports.registry, parts: javaOnce }),
    createTemporal({
      dir: dir('temporal'),
      port: ports.temporal,
      uiPort: ports.temporalUi,
      binary: options.temporalBinary ?? '',
    }),
    createPostgres({ dir: dir('postgres'), port: ports.postgres, ephemeral: options.ephemeral ?? false }),
  ];
  const components = all.filter(({ name }) => external[name] === undefined);
  return { stateDir, components, endpoints: endpointsOf(ports, external) };
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

async function ephemeralPlan(options: StackOptions): Promise<Plan> {
  const [kafka = 0, registry = 0, temporal = 0, temporalUi = 0, postgres = 0] = await freePorts(5);
  const stateDir = await mkdtemp(path.join(tmpdir(), 'oms-'));
  // The user PostgreSQL runs as under root passes through it.
  await chmod(stateDir, 0o711);
  const plan = makePlan(stateDir, { kafka, registry, temporal, temporalUi, postgres }, options);
  return { ...plan, guard: createGuard(stateDir) };
}

/** Goes on with the record that is there; the parts it names may still run. */
async function openRecord(plan: Plan): Promise<Recorder> {
  const before = await readStack(plan.stateDir);
  const { stateDir, endpoints } = plan;
  return createRecorder({
    version: 1,
    stateDir,
    endpoints,
    components: before?.components ?? {},
    roles: before?.roles,
  });
}

async function startAll(plan: Plan, recorder: Recorder, options: StackOptions): Promise<void> {
  const calledOff = new AbortController();
  const signals = [calledOff.signal, ...(options.signal ? [options.signal] : [])];
  const signal = AbortSignal.any(signals);
  const starts = plan.components.map(async (component) => {
    try {
      await startOne(component, plan, recorder, { ...options, signal });
    } catch (error) {
      // The first fault ends the others' waiting; it is the one to report.
      calledOff.abort(error);
      throw error;
    }
  });
  const results = await Promise.allSettled(starts);
  if (signal.aborted) throw signal.reason;
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}

async function startOne(component: Component, plan: Plan, recorder: Recorder, options: StackOptions): Promise<void> {
  const { name } = component;
  const tell = (state: 'running' | 'done' | 'failed', detail: string): void =>
    options.onProgress?.({ part: name, state, detail });
  const context: StartContext = {
    stateDir: plan.stateDir,
    recorder: plan.guard ? guarded(recorder, plan.guard) : recorder,
    report: (detail) => tell('running', detail),
    signal: options.signal,
  };
  try {
    await startComponent(component, context);
    tell('done', `ready on port ${component.ports[0]?.port}`);
  } catch (error) {
    tell('failed', 'not started');
    throw error;
  }
}

/** Whatever is recorded is handed to the guard, too. */
function guarded(recorder: Recorder, guard: Guard): Recorder {
  const update: Recorder['update'] = async (change) => {
    await recorder.update(change);
    for (const component of Object.values(recorder.record.components)) guard.watch(component.pid);
  };
  return { record: recorder.record, update };
}

function stackOf(plan: Plan, recorder: Recorder, options: StackOptions): Stack {
  const revive = async (name: ComponentName): Promise<void> => {
    const component = plan.components.find((candidate) => candidate.name === name);
    if (component) await startOne(component, plan, recorder, { ...options, signal: undefined });
  };
  const stop = async (): Promise<void> => {
    await stopRecorded(recorder);
    if (!plan.guard) return;
    plan.guard.dismiss();
    await rm(plan.stateDir, { recursive: true, force: true, maxRetries: 5 });
  };
  const { stateDir, endpoints } = plan;
  return { stateDir, endpoints, recorder, ended: () => endedParts(recorder.record), revive, stop };
}

async function endedParts(record: StackRecord): Promise<ComponentName[]> {
  const parts = COMPONENTS.flatMap((name) => {
    const component = record.components[name];
    return component ? [{ name, component }] : [];
  });
  const running = await Promise.all(parts.map(({ component }) => isRunning(component)));
  return parts.filter((_, i) => !running[i]).map(({ name }) => name);
}

/** The parts do not depend on each other: they are stopped together, after the roles that use them. */
async function stopRecorded(recorder: Recorder): Promise<void> {
  await Promise.all(COMPONENTS.map((name) => stopComponent(name, STOP_SIGNALS[name], recorder)));
}

/**
 * Ends whatever is recorded of a state directory: the `oms up` that looks after it, which stops the rest, or else
 * roles and parts that were left behind. Resolves with what was ended.
 */
export async function stopStack(stateDir: string): Promise<string[]> {
  const record = await readStack(stateDir);
  if (!record) return [];
  const { supervisor } = record;
  const supervised = supervisor !== undefined && (await isRunning(supervisor));
  if (supervised) await endProcess(supervisor, 'SIGTERM', SUPERVISOR_GRACE_MS);
  // It has stopped everything, unless it had to be killed: look again.
  const left = (await readStack(stateDir)) ?? record;
  const ended = await stopLeft(createRecorder(left));
  return supervised ? ['oms up', ...ended] : ended;
}

async function stopLeft(recorder: Recorder): Promise<string[]> {
  const { record } = recorder;
  const roles = await running(record.roles ?? {});
  await Promise.all(roles.map(([, role]) => endProcess(role, 'SIGTERM', SUPERVISOR_GRACE_MS)));
  const parts = await running(record.components);
  await stopRecorded(recorder);
  await recorder.update((state) => {
    delete state.roles;
    delete state.supervisor;
  });
  return [...roles, ...parts].map(([name]) => name);
}

async function running(processes: Partial<Record<string, ProcessIdentity>>): Promise<[string, ProcessIdentity][]> {
  const known = Object.entries(processes).filter((entry): entry is [string, ProcessIdentity] => entry[1] !== undefined);
  const alive = await Promise.all(known.map(([, identity]) => isRunning(identity)));
  return known.filter((_, i) => alive[i]);
}

/**
 * Makes this process the one that looks after a state directory, for `oms down` and against a second one.
 * @throws OmsError OMS_LOCAL_ALREADY_UP
 */
export async function requireAlone(stateDir: string): Promise<void> {
  const supervisor = (await readStack(stateDir))?.supervisor;
  if (!supervisor || !(await isRunning(supervisor))) return;
  throw new OmsError(
    'OMS_LOCAL_ALREADY_UP',
    `\`oms up\` already runs here (process ${supervisor.pid}). Use it, end it with \`oms down\`, ` +
      'or set OMS_STATE_DIR and the ports for a second one.',
  );
}

/** The environment variables that point a role or a test at these endpoints. */
export function endpointVariables(endpoints: Endpoints): Record<string, string> {
  return {
    KAFKA_BROKERS: endpoints.kafkaBrokers,
    SCHEMA_REGISTRY_URL: endpoints.schemaRegistryUrl,
    TEMPORAL_ADDRESS: endpoints.temporalAddress,
    DATABASE_URL: endpoints.databaseUrl,
  };
}

/** Our own identity, as recorded. */
export async function ownIdentity(): Promise<ProcessIdentity> {
  return (await identify(process.pid)) ?? { pid: process.pid, started: '' };
}
