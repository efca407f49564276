import { Command } from 'commander';
import path from 'node:path';
import { createProgressView } from '../local/progress-view.ts';
import type { ProgressView } from '../local/progress-view.ts';
import { cliConfig } from '../local/settings.ts';
import type { RoleEvent, RoleSpec } from '../local/supervisor.ts';
import type { Endpoints } from '../local/types.ts';
import type { Running, UpReport } from '../operations/up/run-up.ts';
import type { Config } from '../platform/config/settings.ts';
import { createLogger } from '../platform/logger.ts';
import { createShutdown } from '../platform/shutdown.ts';
import { examples, note, print, printJson } from './output.ts';

/** `oms up` */
export function createCommand(): Command {
  return new Command()
    .option('--no-demo', 'do not feed the example orders')
    .option('--stack-only', 'only Kafka, registry, Temporal and PostgreSQL: no set-up, no roles, no demo')
    .option('--ephemeral', 'on free ports and in a temporary directory that is removed at the end')
    .addHelpText('after', examples('oms up', 'oms up --no-demo', 'OMS_KAFKA_PORT=19092 oms up', 'oms up --ephemeral'))
    .action(async (flags: UpFlags) => {
      await upInForeground(flags);
    });
}

/** On top of the roles' own grace: the stack's parts stop after them. */
const STACK_GRACE_MS = 60_000;

/** Runs all and shows how it comes up, until it is asked to stop. */
async function upInForeground(flags: UpFlags): Promise<void> {
  const config = await cliConfig();
  const signal = stopRequest(config);
  const { ephemeral, stackOnly } = flags;
  const report = reportOn(createProgressView(process.stderr), flags, signal);
  const demo = (running: Config): Promise<unknown> => showDemo(running, flags, signal);
  const { runUp } = await import('../operations/up/run-up.ts');
  await runUp(config, { ephemeral, stackOnly, signal, report, ...(flags.demo ? { demo } : {}) });
}

/** Aborted by Ctrl-C, SIGTERM, or the terminal closing; output that nobody reads any more is no reason to stop. */
function stopRequest(config: Config): AbortSignal {
  const logger = createLogger({ role: 'up', level: 'silent' });
  const shutdown = createShutdown({ logger, graceMs: config.OMS_SHUTDOWN_GRACE + STACK_GRACE_MS });
  for (const stream of [process.stdout, process.stderr])
    stream.removeAllListeners('error').on('error', () => undefined);
  process.on('SIGHUP', () => process.emit('SIGTERM', 'SIGTERM'));
  const controller = new AbortController();
  void shutdown.requested.then((reason) => controller.abort(new Error(reason)));
  return controller.signal;
}

async function showDemo(config: Config, { json }: UpFlags, signal: AbortSignal): Promise<void> {
  const { runDemo } = await import('./up-demo.ts');
  await runDemo(config, { signal, json });
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

/** What is told of as progress until all has started, and in lines after that. */
function reportOn(view: ProgressView, flags: UpFlags, signal: AbortSignal): UpReport {
  const setup = (state: 'running' | 'done', detail: string): void => view.update({ part: 'setup', state, detail });
  return {
    onPart: (progress) => view.update(progress),
    onRole: roleProgress(view),
    onSetup: (part) =>
      setup('running', part === undefined ? 'topics, schemas, database, namespace' : `checking: ${part}`),
    onSetUp: (checked, changed) => setup('done', `${checked} things checked, ${changed} made`),
    onStarted: () => view.finish(),
    onPartEnded: (name, againInMs) => note(`${name} ended by itself; starting it again in ${seconds(againInMs)}`),
    onPartFailed: (name, error) =>
      note(`${name} did not start: ${error instanceof Error ? error.message : String(error)}`),
    onLog: (role, message) => note(`${role}: ${message}`),
    onRunning: (running) => {
      view.finish();
      tellWhere(running, flags);
    },
    onStopping: () => {
      view.finish();
      if (signal.aborted) note('Stopping…');
    },
  };
}

/** All is there: says where. */
function tellWhere({ stack, config, ...running }: Running, { json }: UpFlags): void {
  const logs = path.join(path.relative(process.cwd(), stack.stateDir) || '.', 'logs');
  const links = linksOf({ ...running, endpoints: stack.endpoints, namespace: config.TEMPORAL_NAMESPACE, logs });
  if (json) printJson({ endpoints: stack.endpoints, links });
  else print(linkBox(links, 'Everything runs until Ctrl-C.'));
}

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

interface Link {
  name: string;
  where: string;
}

/** A database URL as it may be shown. */
const masked = (url: string): string => url.replace(/\/\/([^:@/]+):[^@/]*@/, '//$1:***@');

/** Where everything is that a person may want to look at. */
function linksOf(running: {
  endpoints: Endpoints;
  namespace: string;
  roles: readonly RoleSpec[];
  /** Of the HTTP API, if it runs. */
  apiUrl?: string;
  logs: string;
}): Link[] {
  const { endpoints, namespace, roles, apiUrl, logs } = running;
  const ui = endpoints.temporalUiUrl && `${endpoints.temporalUiUrl}/namespaces/${namespace}/workflows`;
  return [
    ...(apiUrl ? [{ name: 'HTTP API', where: `${apiUrl}/docs` }] : []),
    ...(ui ? [{ name: 'Workflows', where: ui }] : [{ name: 'Temporal', where: endpoints.temporalAddress }]),
    { name: 'Kafka', where: endpoints.kafkaBrokers },
    { name: 'Schemas', where: `${endpoints.schemaRegistryUrl}/subjects` },
    { name: 'Database', where: masked(endpoints.databaseUrl) },
    ...roles.map(({ name, readyUrl }) => ({ name: `Role ${name}`, where: readyUrl.replace(/readyz$/, 'metrics') })),
    { name: 'Logs', where: logs },
  ];
}

/** The links in a frame. */
function linkBox(links: readonly Link[], footer: string): string {
  const nameWidth = Math.max(...links.map(({ name }) => name.length));
  const rows = [...links.map(({ name, where }) => `${name.padEnd(nameWidth)}  ${where}`), '', footer];
  const width = Math.max(...rows.map((row) => row.length));
  const edge = '─'.repeat(width + 2);
  return [`┌${edge}┐`, ...rows.map((row) => `│ ${row.padEnd(width)} │`), `└${edge}┘`].join('\n');
}

/** What the command line of `oms up` says. */
interface UpFlags {
  json?: boolean;
  demo: boolean;
  ephemeral?: boolean;
  stackOnly?: boolean;
}
