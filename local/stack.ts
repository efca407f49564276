import { rm } from 'node:fs/promises';
import { startComponent } from './component.ts';
import type { Guard } from './guard.ts';
import { makePlan } from './plan.ts';
import type { Plan, PlanOptions } from './plan.ts';
import { runningAmong } from './processes.ts';
import { createRecorder, readStack } from './state-file.ts';
import type { Recorder, StackRecord } from './state-file.ts';
import { stopComponents } from './stop.ts';
import { requireSpace } from './tools.ts';
import { COMPONENTS } from './types.ts';
import type { Component, ComponentName, Endpoints, OnProgress, ProcessIdentity, Progress } from './types.ts';

export { readStack } from './state-file.ts';
export { requireAlone, stopStack } from './stop.ts';
export type { ComponentName, Endpoints, OnProgress, Ports } from './types.ts';

/** Room to run in; a first run asks for more where it downloads. */
const RUN_GIB = 0.5;

export interface StackOptions extends PlanOptions {
  /** A fresh temporary directory and free ports instead of `stateDir` and `ports`; gone when this process is, even killed. */
  ephemeral?: boolean;
  /** Parts that run elsewhere, by the value of their setting; they are not started. */
  external?: Partial<Record<ComponentName, string>>;
  /** See OMS_TEMPORAL_BIN. */
  temporalBinary?: string;
  /** The process that looks after the stack, recorded for `oms down`. */
  supervisor?: ProcessIdentity;
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

/**
 * Starts the parts in parallel and resolves when all answer. A part that still runs from before is used on.
 * @throws OmsError OMS_LOCAL_* with the remedy; what runs by then is stopped
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const calledOff = new AbortController();
  const signal = options.signal ? AbortSignal.any([calledOff.signal, options.signal]) : calledOff.signal;
  const plan = await makePlan({ ...options, signal });
  await requireSpace(plan.stateDir, RUN_GIB);
  const recorder = await openRecorder(plan, options.supervisor);
  const stack = stackOf(plan, recorder, options);
  try {
    await startAll(plan, recorder, { ...options, signal }, calledOff);
    return stack;
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

/** Goes on with the record that is there: the parts it names may still run. */
async function openRecorder(plan: Plan, supervisor: ProcessIdentity | undefined): Promise<Recorder> {
  const before = await readStack(plan.stateDir);
  const { stateDir, endpoints, guard } = plan;
  const components = before?.components ?? {};
  const recorder = createRecorder({ version: 1, stateDir, endpoints, components, supervisor, roles: before?.roles });
  await recorder.update(() => undefined);
  return guard ? guarded(recorder, guard) : recorder;
}

/** Whatever is recorded is handed to the guard, too. */
function guarded(recorder: Recorder, guard: Guard): Recorder {
  const update: Recorder['update'] = (change) => {
    const written = recorder.update(change);
    for (const { pid } of Object.values(recorder.record.components)) guard.watch(pid);
    return written;
  };
  return { record: recorder.record, update };
}

async function startAll(
  plan: Plan,
  recorder: Recorder,
  options: StackOptions,
  calledOff: AbortController,
): Promise<void> {
  const starts = plan.components.map(async (component) => {
    try {
      await startOne(component, plan, recorder, options);
    } catch (error) {
      // The first fault ends the others' waiting; it is the one to report.
      calledOff.abort(error);
    }
  });
  await Promise.all(starts);
  options.signal?.throwIfAborted();
}

async function startOne(component: Component, plan: Plan, recorder: Recorder, options: StackOptions): Promise<void> {
  const tell = (state: Progress['state'], detail: string): void =>
    options.onProgress?.({ part: component.name, state, detail });
  const report = (detail: string): void => tell('running', detail);
  try {
    await startComponent(component, { stateDir: plan.stateDir, recorder, report, signal: options.signal });
    tell('done', `ready on port ${component.ports[0]?.port}`);
  } catch (error) {
    tell('failed', 'not started');
    throw error;
  }
}

function stackOf(plan: Plan, recorder: Recorder, options: StackOptions): Stack {
  const { stateDir, endpoints, components, guard } = plan;
  const revive = async (name: ComponentName): Promise<void> => {
    const component = components.find((candidate) => candidate.name === name);
    if (component) await startOne(component, plan, recorder, options);
  };
  const stop = async (): Promise<void> => {
    await stopComponents(recorder);
    guard?.dismiss();
    if (guard) await rm(stateDir, { recursive: true, force: true, maxRetries: 5 });
  };
  return { stateDir, endpoints, recorder, ended: () => endedParts(recorder.record), revive, stop };
}

async function endedParts({ components }: StackRecord): Promise<ComponentName[]> {
  const running = await runningAmong(components);
  return COMPONENTS.filter((name) => components[name] && !running.includes(name));
}
