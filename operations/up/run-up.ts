import { watchLogs } from '../../local/logs.ts';
import { identify } from '../../local/processes.ts';
import { planRoles } from '../../local/roles.ts';
import { externalParts } from '../../local/settings.ts';
import { requireAlone, startStack } from '../../local/stack.ts';
import type { Stack } from '../../local/stack.ts';
import { createSupervisor } from '../../local/supervisor.ts';
import type { RoleEvent, RoleSpec } from '../../local/supervisor.ts';
import { endpointVariables } from '../../local/types.ts';
import type { ComponentName, Progress } from '../../local/types.ts';
import { watchStack } from '../../local/watch.ts';
import { childEnvironment } from '../../platform/config/environment.ts';
import { loadConfig } from '../../platform/config/load.ts';
import type { Config } from '../../platform/config/settings.ts';
import { commandResources } from '../../resources/profiles.ts';

export interface UpRequest {
  /** On free ports and in a temporary directory that is removed at the end. */
  ephemeral?: boolean;
  /** The parts of the stack alone: no set-up, no roles, no demo. */
  stackOnly?: boolean;
  /** Played when all roles run, with the configuration they have. */
  demo?: (config: Config) => Promise<unknown>;
  /** Stops all, also what is still starting. */
  signal: AbortSignal;
  report: UpReport;
}

/** What happens, as it happens. */
export interface UpReport {
  onPart(progress: Progress): void;
  onRole(event: RoleEvent): void;
  /** Set-up looks at a thing; undefined before the first. */
  onSetup(part: string | undefined): void;
  onSetUp(checked: number, changed: number): void;
  /** All has started. */
  onStarted(): void;
  /** A part has ended by itself, or did not start again. */
  onPartEnded(name: ComponentName, againInMs: number): void;
  onPartFailed(name: ComponentName, error: unknown): void;
  /** A role has logged something that a person should see. */
  onLog(role: string, message: string): void;
  /** The demo has ended, and all goes on running. */
  onRunning(running: Running): void;
  onStopping(): void;
}

/** What runs. */
export interface Running {
  stack: Stack;
  /** As the roles have it. */
  config: Config;
  /** None with the stack alone. */
  roles: readonly RoleSpec[];
  apiUrl?: string;
}

/** What has been started so far, to be stopped in the opposite order. */
interface Started {
  stop(): Promise<void>;
}

/**
 * Starts the stack, sets it up, starts the roles, plays the demo, and stays until it is asked to stop; then stops all
 * in order. A part or role that ends in between is started again.
 * @throws OmsError OMS_LOCAL_*, or what set-up and demo throw; everything is stopped by then
 */
export async function runUp(config: Config, request: UpRequest): Promise<void> {
  const { signal, report } = request;
  if (!request.ephemeral) await requireAlone(config.OMS_STATE_DIR);
  const started: Started[] = [];
  try {
    await bringUp({ request, config, started });
    await aborted(signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    report.onStopping();
    for (const part of started.reverse()) await part.stop();
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

interface Run {
  request: UpRequest;
  config: Config;
  started: Started[];
}

async function bringUp(run: Run): Promise<void> {
  const { request, config } = run;
  const stack = await startParts(run);
  if (request.stackOnly) return goOn(run, { stack, config, roles: [] });
  const { roles, apiUrl, variables } = await planRoles(config, request.ephemeral ?? false);
  const environment = { ...endpointVariables(stack.endpoints), OMS_STATE_DIR: stack.stateDir, ...variables };
  const running = { stack, config: loadConfig(childEnvironment(environment)), roles, apiUrl };
  await setUp(request.report, stack, running.config);
  await startRoles(run, stack, roles, environment);
  await goOn(run, running);
}

/** Everything runs: sees to it from now on, and plays the demo. */
async function goOn({ request, started }: Run, running: Running): Promise<void> {
  const { demo, report, signal } = request;
  report.onStarted();
  started.push(keepRunning(running, report));
  if (demo && running.roles.length > 0) await demo(running.config);
  if (!signal.aborted) report.onRunning(running);
}

async function startParts({ request, config, started }: Run): Promise<Stack> {
  const stack = await startStack({
    stateDir: config.OMS_STATE_DIR,
    ports: {
      kafka: config.OMS_KAFKA_PORT,
      registry: config.OMS_REGISTRY_PORT,
      temporal: config.OMS_TEMPORAL_PORT,
      temporalUi: config.OMS_TEMPORAL_UI_PORT,
      postgres: config.OMS_POSTGRES_PORT,
    },
    ephemeral: request.ephemeral,
    external: externalParts(),
    temporalBinary: config.OMS_TEMPORAL_BIN,
    supervisor: await identify(process.pid),
    onProgress: (progress) => request.report.onPart(progress),
    signal: request.signal,
  });
  started.push(stack);
  return stack;
}

async function setUp(report: UpReport, stack: Stack, config: Config): Promise<void> {
  // The state directory is marked with the deployment only if it holds the deployment's database.
  const stateDir = stack.recorder.record.components.postgres ? stack.stateDir : undefined;
  report.onSetup(undefined);
  const { runSetup } = await import('../setup/run-setup.ts');
  await using resources = commandResources(config);
  const { steps } = await runSetup(resources, ({ part }) => report.onSetup(part), { stateDir });
  const changed = steps.filter(({ outcome }) => outcome === 'created' || outcome === 'mended').length;
  report.onSetUp(steps.length, changed);
}

async function startRoles(
  { request, config, started }: Run,
  stack: Stack,
  roles: RoleSpec[],
  environment: Record<string, string>,
): Promise<void> {
  const supervisor = createSupervisor({
    stateDir: stack.stateDir,
    roles,
    environment,
    recorder: stack.recorder,
    graceMs: config.OMS_SHUTDOWN_GRACE,
    onEvent: (event) => request.report.onRole(event),
  });
  started.push(supervisor);
  await supervisor.start(request.signal);
}

/** Watches the stack's parts and the roles' logs from now on; parts that end are started again. */
function keepRunning({ stack, roles }: Running, report: UpReport): Started {
  const stopWatching = watchStack({
    stack,
    onEnded: (name, againInMs) => report.onPartEnded(name, againInMs),
    onFailed: (name, error) => report.onPartFailed(name, error),
  });
  const names = roles.map(({ name }) => name);
  const stopFollowing = watchLogs(stack.stateDir, names, ({ role, message }) => report.onLog(role, message));
  return { stop: async () => void (await Promise.all([stopWatching(), stopFollowing()])) };
}
