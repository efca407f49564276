import path from 'node:path';
import { watchLogs } from '../../local/logs.ts';
import { identify } from '../../local/processes.ts';
import { createProgressView } from '../../local/progress-view.ts';
import type { ProgressView } from '../../local/progress-view.ts';
import { planRoles } from '../../local/roles.ts';
import { cliConfig, externalParts } from '../../local/settings.ts';
import { requireAlone, startStack } from '../../local/stack.ts';
import type { Stack } from '../../local/stack.ts';
import { createSupervisor } from '../../local/supervisor.ts';
import type { RoleEvent, RoleSpec } from '../../local/supervisor.ts';
import { endpointVariables } from '../../local/types.ts';
import { watchStack } from '../../local/watch.ts';
import { childEnvironment } from '../../platform/config/environment.ts';
import { loadConfig } from '../../platform/config/load.ts';
import type { Config } from '../../platform/config/settings.ts';
import { createLogger } from '../../platform/logger.ts';
import { createShutdown } from '../../platform/shutdown.ts';
import { commandResources } from '../../resources/profiles.ts';
import { note, print, printJson } from '../output.ts';
import type { UpFlags } from './flags.ts';
import { linkBox, linksOf } from './links.ts';

/** On top of the roles' own grace: the stack's parts stop after them. */
const STACK_GRACE_MS = 60_000;

/** What `oms up` has started so far, to be stopped in the opposite order. */
interface Started {
  stop(): Promise<void>;
}

/**
 * Starts the stack, sets it up, starts the roles, plays the demo, and stays until it is asked to stop; then stops all
 * in order. A part or role that ends in between is started again.
 * @throws OmsError OMS_LOCAL_*, or what set-up and demo throw; everything is stopped by then
 */
export async function runUp(flags: UpFlags): Promise<void> {
  const config = await cliConfig();
  if (!flags.ephemeral) await requireAlone(config.OMS_STATE_DIR);
  const { signal, requested } = stopRequest(config);
  const view = createProgressView(process.stderr);
  const started: Started[] = [];
  try {
    await bringUp({ flags, config, signal, view, started });
    await requested;
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    view.finish();
    if (signal.aborted) note('Stopping…');
    for (const part of started.reverse()) await part.stop();
  }
}

interface Run {
  flags: UpFlags;
  config: Config;
  signal: AbortSignal;
  view: ProgressView;
  started: Started[];
}

/** Ctrl-C, SIGTERM, or the terminal closing; output that nobody reads any more is no reason to stop. */
function stopRequest(config: Config): { signal: AbortSignal; requested: Promise<string> } {
  const logger = createLogger({ role: 'up', level: 'silent' });
  const shutdown = createShutdown({ logger, graceMs: config.OMS_SHUTDOWN_GRACE + STACK_GRACE_MS });
  for (const stream of [process.stdout, process.stderr])
    stream.removeAllListeners('error').on('error', () => undefined);
  process.on('SIGHUP', () => process.emit('SIGTERM', 'SIGTERM'));
  const controller = new AbortController();
  const requested = shutdown.requested.then((reason) => {
    controller.abort(new Error(reason));
    return reason;
  });
  return { signal: controller.signal, requested };
}

async function bringUp(run: Run): Promise<void> {
  const stack = await startParts(run);
  if (run.flags.stackOnly) return goOn(run, stack, run.config, { roles: [] });
  const { roles, apiUrl, variables } = await planRoles(run.config, run.flags.ephemeral ?? false);
  const environment = { ...endpointVariables(stack.endpoints), OMS_STATE_DIR: stack.stateDir, ...variables };
  const config = loadConfig(childEnvironment(environment));
  await setUp(run, stack, config);
  await startRoles(run, stack, roles, environment);
  await goOn(run, stack, config, { roles, apiUrl });
}

/** Everything runs: sees to it from now on, plays the demo, and says where all is. */
async function goOn(run: Run, stack: Stack, config: Config, running: Running): Promise<void> {
  const { roles } = running;
  run.view.finish();
  run.started.push(keepRunning(stack, roles, note));
  if (run.flags.demo && roles.length > 0) await demo(run, config);
  if (!run.signal.aborted) tellWhere(run, stack, config, running);
}

/** The roles that run; none with the stack alone. */
interface Running {
  roles: readonly RoleSpec[];
  apiUrl?: string;
}

async function startParts({ flags, config, signal, view, started }: Run): Promise<Stack> {
  const stack = await startStack({
    stateDir: config.OMS_STATE_DIR,
    ports: {
      kafka: config.OMS_KAFKA_PORT,
      registry: config.OMS_REGISTRY_PORT,
      temporal: config.OMS_TEMPORAL_PORT,
      temporalUi: config.OMS_TEMPORAL_UI_PORT,
      postgres: config.OMS_POSTGRES_PORT,
    },
    ephemeral: flags.ephemeral,
    external: externalParts(),
    temporalBinary: config.OMS_TEMPORAL_BIN,
    supervisor: await identify(process.pid),
    onProgress: (progress) => view.update(progress),
    signal,
  });
  started.push(stack);
  return stack;
}

async function setUp({ view }: Run, stack: Stack, config: Config): Promise<void> {
  const { runSetup } = await import('../../operations/setup/run-setup.ts');
  const tell = (state: 'running' | 'done', detail: string): void => view.update({ part: 'setup', state, detail });
  // The state directory is marked with the deployment only if it holds the deployment's database.
  const stateDir = stack.recorder.record.components.postgres ? stack.stateDir : undefined;
  tell('running', 'topics, schemas, database, namespace');
  await using resources = commandResources(config);
  const { steps } = await runSetup(resources, ({ part }) => tell('running', `checking: ${part}`), { stateDir });
  const changed = steps.filter(({ outcome }) => outcome === 'created' || outcome === 'mended').length;
  tell('done', `${steps.length} things checked, ${changed} made`);
}

async function startRoles(
  run: Run,
  stack: Stack,
  roles: RoleSpec[],
  environment: Record<string, string>,
): Promise<void> {
  const supervisor = createSupervisor({
    stateDir: stack.stateDir,
    roles,
    environment,
    recorder: stack.recorder,
    graceMs: run.config.OMS_SHUTDOWN_GRACE,
    onEvent: roleProgress(run.view),
  });
  run.started.push(supervisor);
  await supervisor.start(run.signal);
}

async function demo({ flags, signal }: Run, config: Config): Promise<void> {
  const { runDemo } = await import('../demo.ts');
  await runDemo(config, { signal, json: flags.json });
}

/** All is there: says where. */
function tellWhere({ flags, view }: Run, stack: Stack, config: Config, running: Running): void {
  view.finish();
  const logs = path.join(path.relative(process.cwd(), stack.stateDir) || '.', 'logs');
  const links = linksOf({ ...running, endpoints: stack.endpoints, namespace: config.TEMPORAL_NAMESPACE, logs });
  if (flags.json) printJson({ endpoints: stack.endpoints, links });
  else print(linkBox(links, 'Everything runs until Ctrl-C.'));
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

/** Shows what happens to the roles: as progress until all are ready once, as lines after that. */
function roleProgress(view: ProgressView): (event: RoleEvent) => void {
  const known = new Set<string>();
  return (event) => {
    const { role, what } = event;
    if (what === 'starting' && !known.has(role)) view.update({ part: role, state: 'running', detail: 'starting' });
    if (what === 'starting') known.add(role);
    if (what === 'ready') view.update({ part: role, state: 'done', detail: 'ready' });
    if (what === 'stopped') view.say(`${role} stopped`);
    if (what === 'ended') {
      const { code, signal } = event.exit;
      view.say(`${role} ended (${signal ?? `exit code ${code}`}); starting it again in ${seconds(event.againInMs)}`);
    }
  };
}

/** Watches the stack's parts and the roles' logs from now on; parts that end are started again. */
function keepRunning(
  stack: Stack,
  roles: readonly RoleSpec[],
  note: (text: string) => void,
): { stop(): Promise<void> } {
  const stopWatching = watchStack({
    stack,
    onEnded: (name, againInMs) => note(`${name} ended by itself; starting it again in ${seconds(againInMs)}`),
    onFailed: (name, error) => note(`${name} did not start: ${error instanceof Error ? error.message : String(error)}`),
  });
  const names = roles.map(({ name }) => name);
  const stopFollowing = watchLogs(stack.stateDir, names, ({ role, message }) => note(`${role}: ${message}`));
  return { stop: async () => void (await Promise.all([stopWatching(), stopFollowing()])) };
}
