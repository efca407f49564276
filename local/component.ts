import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { OmsError } from '../domain/errors.ts';
import { childEnvironment } from '../platform/config/environment.ts';
import { logFile, logTail, openLog } from './logs.ts';
import { requireFree } from './ports.ts';
import { endProcess, identify, isRunning } from './processes.ts';
import type { ComponentRecord, Recorder } from './state-file.ts';
import type { Command, Component, ComponentName, ProcessIdentity } from './types.ts';

const READY_WITHIN_MS = 180_000;
const REUSE_WITHIN_MS = 20_000;
const PROBE_EVERY_MS = 150;
const STOP_GRACE_MS = 25_000;
/** A process killed a moment ago may still hold its files while it goes: the next one exits at once, and is tried again. */
const START_ATTEMPTS = 3;
const ATTEMPT_PAUSE_MS = 1_000;

export interface StartContext {
  stateDir: string;
  recorder: Recorder;
  report: (detail: string) => void;
  signal?: AbortSignal;
}

/**
 * Brings a component up, or takes over the one that is recorded, runs, and answers with the recorded id.
 * @throws OmsError OMS_LOCAL_* naming what is in the way and the remedy
 */
export async function startComponent(component: Component, context: StartContext): Promise<void> {
  if (await takeOver(component, context)) return;
  for (const { port, setting } of component.ports) await requireFree(component.name, port, setting);
  const command = await component.prepare(context.report, context.signal);
  context.report('starting');
  for (let attempt = 1; !(await tryStart(component, command, context)); attempt += 1) {
    if (attempt === START_ATTEMPTS) throw await startFailure(component.name, 'ended while starting', context);
    await sleep(ATTEMPT_PAUSE_MS, undefined, { signal: context.signal });
  }
}

/** Whether the recorded process is used on. One that runs but does not match is ended: it holds the same files. */
async function takeOver(component: Component, context: StartContext): Promise<boolean> {
  const recorded = context.recorder.record.components[component.name];
  if (!recorded || !(await isRunning(recorded))) return false;
  context.report('still running, checking it');
  const id = recorded.port === component.ports[0]?.port ? await untilReady(component, recorded, REUSE_WITHIN_MS) : null;
  if (id !== null && (recorded.id === '' || recorded.id === id)) {
    await note(component, { ...recorded, id }, context.recorder);
    return true;
  }
  context.report('ending an old process that does not match');
  await endProcess(recorded, component.stopSignal, STOP_GRACE_MS);
  return false;
}

const note = (component: Component, record: ComponentRecord, recorder: Recorder): Promise<void> =>
  recorder.update(({ components }) => {
    components[component.name] = record;
  });

/** One start: true when it is ready, false when the process ended by itself. */
async function tryStart(component: Component, command: Command, context: StartContext): Promise<boolean> {
  const child = await launch(component.name, command, context.stateDir);
  const identity = child.pid === undefined ? undefined : await identify(child.pid);
  if (!identity) return false;
  const record = { ...identity, port: component.ports[0]?.port ?? 0, id: '' };
  // Recorded before it is ready: if we are killed now, the next start still knows it.
  await note(component, record, context.recorder);
  const id = await untilReady(component, identity, READY_WITHIN_MS, context.signal);
  if (id !== null) {
    await note(component, { ...record, id }, context.recorder);
    return true;
  }
  if (!(await isRunning(identity))) return false;
  await endProcess(identity, component.stopSignal, STOP_GRACE_MS);
  context.signal?.throwIfAborted();
  throw await startFailure(component.name, `was not ready within ${READY_WITHIN_MS / 1_000} s`, context);
}

/** Own process group: Ctrl-C in the terminal reaches us alone, and we end the parts in order. */
async function launch(name: ComponentName, command: Command, stateDir: string): Promise<ChildProcess> {
  const log = await openLog(stateDir, name);
  try {
    const child = spawn(command.file, command.args, {
      cwd: command.directory,
      env: childEnvironment(command.environment ?? {}),
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      ...command.user,
    });
    child.once('error', () => undefined);
    child.unref();
    return child;
  } finally {
    await log.close();
  }
}

/** Probes until it answers: its id, or null when the process ended, time is up, or the start was called off. */
async function untilReady(
  component: Component,
  identity: ProcessIdentity,
  withinMs: number,
  signal?: AbortSignal,
): Promise<string | null> {
  const deadline = performance.now() + withinMs;
  while (performance.now() < deadline && !signal?.aborted && (await isRunning(identity))) {
    const id = await component.probe().catch(() => null);
    // Asked again after the answer: it may have come from somebody else on that port.
    if (id !== null) return (await isRunning(identity)) ? id : null;
    await sleep(PROBE_EVERY_MS);
  }
  return null;
}

async function startFailure(name: ComponentName, what: string, { stateDir }: StartContext): Promise<OmsError> {
  const tail = await logTail(stateDir, name);
  return new OmsError('OMS_LOCAL_START_FAILED', `${name} ${what}. The end of ${logFile(stateDir, name)}:\n${tail}`);
}

/** Ends a recorded component and forgets it; one that is gone already is only forgotten. */
export async function stopComponent(name: ComponentName, signal: NodeJS.Signals, recorder: Recorder): Promise<void> {
  const recorded = recorder.record.components[name];
  if (!recorded) return;
  await endProcess(recorded, signal, STOP_GRACE_MS);
  await recorder.update(({ components }) => {
    delete components[name];
  });
}
