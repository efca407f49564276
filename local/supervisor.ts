import { setTimeout as sleep } from 'node:timers/promises';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { OmsError } from '../domain/errors.ts';
import { childEnvironment } from '../platform/config/environment.ts';
import { createBackoff } from './backoff.ts';
import { logFile, logTail, openLog } from './logs.ts';
import { endProcess, identify } from './processes.ts';
import type { Recorder } from './state-file.ts';
import { stopRoles } from './stop.ts';

const READY_EVERY_MS = 200;
const READY_WITHIN_MS = 180_000;
/** A role that ends this often before it was ever ready will not be by trying again. */
const ENDS_BEFORE_READY = 3;

/** What happens to a role, for showing. */
export type RoleEvent =
  | { role: string; what: 'starting' | 'ready' | 'stopped' }
  | { role: string; what: 'ended'; exit: RoleExit; againInMs: number };

export interface SupervisorOptions {
  stateDir: string;
  roles: readonly RoleSpec[];
  /** Settings of the roles, on top of our own environment. */
  environment: Record<string, string>;
  recorder: Recorder;
  /** How long a role may take to stop; killed after that. */
  graceMs: number;
  onEvent: (event: RoleEvent) => void;
}

export interface Supervisor {
  /**
   * Starts all roles, and again when one ends. Resolves when each has been ready once.
   * @throws OmsError OMS_LOCAL_ROLE_FAILED with the end of its log
   */
  start(signal?: AbortSignal): Promise<void>;
  /** Stops all roles: SIGTERM, and SIGKILL after the grace. */
  stop(): Promise<void>;
}

/** Runs roles as child processes; a role that ends is started again, ever more slowly while it keeps ending. */
export function createSupervisor(options: SupervisorOptions): Supervisor {
  const stopping = new AbortController();
  const keepers = options.roles.map((spec) => createKeeper(spec, options, stopping.signal));
  const start = async (signal?: AbortSignal): Promise<void> => {
    // What an `oms up` that was killed left behind: two of a kind would share ports.
    await stopRoles(options.recorder);
    await Promise.all(keepers.map((keeper) => keeper.start(signal)));
  };
  const stop = async (): Promise<void> => {
    stopping.abort();
    await Promise.all(keepers.map((keeper) => keeper.stop()));
  };
  return { start, stop };
}

interface Keeper {
  start(signal?: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

/** Keeps one role running. */
function createKeeper(spec: RoleSpec, options: SupervisorOptions, stopping: AbortSignal): Keeper {
  const { stateDir, environment, recorder, onEvent, graceMs } = options;
  const backoff = createBackoff();
  let current: RoleProcess | undefined;
  let kept = Promise.resolve();
  let ends = 0;

  const runOnce = async (): Promise<void> => {
    const startedAt = performance.now();
    onEvent({ role: spec.name, what: 'starting' });
    current = await launchRole(spec, stateDir, environment);
    await recordRole(spec.name, current, recorder);
    if (stopping.aborted) current.child.kill('SIGTERM');
    const exit = await current.ended;
    ends += 1;
    if (stopping.aborted) return;
    const againInMs = backoff.next(performance.now() - startedAt);
    onEvent({ role: spec.name, what: 'ended', exit, againInMs });
    await sleep(againInMs, undefined, { signal: stopping }).catch(() => undefined);
  };
  const keep = async (): Promise<void> => {
    while (!stopping.aborted) await runOnce();
  };
  const start = async (signal?: AbortSignal): Promise<void> => {
    kept = keep();
    // A fault of keeping itself (a log that cannot be opened) shows as never ready, and at stop.
    kept.catch(() => undefined);
    await untilReady(spec, stateDir, () => ends, AbortSignal.any([stopping, ...(signal ? [signal] : [])]));
    onEvent({ role: spec.name, what: 'ready' });
  };
  const stop = async (): Promise<void> => {
    const pid = current?.child.pid;
    const identity = pid === undefined ? undefined : await identify(pid);
    if (identity) await endProcess(identity, 'SIGTERM', graceMs);
    await kept;
    await recorder.update(({ roles }) => {
      delete roles?.[spec.name];
    });
    onEvent({ role: spec.name, what: 'stopped' });
  };
  return { start, stop };
}

async function recordRole(name: string, { child }: RoleProcess, recorder: Recorder): Promise<void> {
  const identity = child.pid === undefined ? undefined : await identify(child.pid);
  if (!identity) return;
  await recorder.update((record) => {
    record.roles = { ...record.roles, [name]: identity };
  });
}

async function untilReady(spec: RoleSpec, stateDir: string, ends: () => number, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS;
  while (!(await isReady(spec))) {
    signal.throwIfAborted();
    const hopeless = ends() >= ENDS_BEFORE_READY;
    if (hopeless || performance.now() > deadline) throw await roleFailure(spec.name, stateDir, hopeless);
    await sleep(READY_EVERY_MS);
  }
}

async function roleFailure(name: string, stateDir: string, ended: boolean): Promise<OmsError> {
  const what = ended
    ? `ended ${ENDS_BEFORE_READY} times while starting`
    : `was not ready in ${READY_WITHIN_MS / 1_000} s`;
  const tail = await logTail(stateDir, name);
  return new OmsError('OMS_LOCAL_ROLE_FAILED', `Role ${name} ${what}. The end of ${logFile(stateDir, name)}:\n${tail}`);
}

/** A role as the supervisor runs it. */
export interface RoleSpec {
  name: string;
  /** Arguments after the node binary: `['cli/oms.js', 'worker']`. */
  args: string[];
  /** Answers 200 when the role is ready for work. */
  readyUrl: string;
}

interface RoleExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

interface RoleProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<RoleExit>;
}

/**
 * Starts a role with its output in its log file. The channel carries no messages: it closes when we are gone, however
 * we went, and the role ends in order then. A process group of its own keeps the terminal's Ctrl-C away from it.
 */
async function launchRole(role: RoleSpec, stateDir: string, environment: Record<string, string>): Promise<RoleProcess> {
  const log = await openLog(stateDir, role.name);
  try {
    const child = spawn(process.execPath, role.args, {
      env: childEnvironment(environment),
      detached: true,
      stdio: ['ignore', log.fd, log.fd, 'ipc'],
    });
    const { promise: ended, resolve } = Promise.withResolvers<RoleExit>();
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => resolve({ code: null, signal: null }));
    return { child, ended };
  } finally {
    await log.close();
  }
}

/** Whether the role says that it is ready. */
async function isReady(role: RoleSpec): Promise<boolean> {
  const answer = await fetch(role.readyUrl, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
  await answer?.body?.cancel();
  return answer?.ok ?? false;
}
