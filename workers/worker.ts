import type {
  NativeConnection,
  WorkerOptions,
  WorkflowBundleWithSourceMap,
  LogEntry,
  LogLevel,
} from '@temporalio/worker';
import { Worker, DefaultLogger, bundleWorkflowCode, Runtime, makeTelemetryFilterString } from '@temporalio/worker';
import { access } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ORDERS_TASK_QUEUE } from '../domain/contract.ts';
import { OmsError } from '../domain/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { Activities } from './activities/index.ts';

export interface OrderWorkerOptions {
  connection: NativeConnection;
  namespace: string;
  /** OMS_PREFIX, put before the task queue's name. */
  prefix: string;
  activities: Activities;
  /** Workflow tasks and activities at once. */
  slots: number;
  /** Database connections of the process. */
  poolSize: number;
  /** How long activities may go on after a stop was asked for, ms. */
  drainMs: number;
  /** Times the calls into workflow code. @default one of its own */
  stopwatch?: Stopwatch;
  /** Bundled already: by the image's build, or by tests, which share it. @default bundled from WORKFLOWS_PATH */
  workflowBundle?: WorkerOptions['workflowBundle'];
}

/** Polls that wait for work at once; more of them only cost, since one answers a task every few ms. */
const WORKFLOW_POLLS = 6;
const ACTIVITY_POLLS = 4;

/**
 * Steps of our own database that may wait for a connection at once. The others wait in the SDK, where their time has not
 * begun: waiting here counts towards a step's 2 s, and a step that is given up and tried again only adds to the queue.
 */
const STEPS_PER_CONNECTION = 4;

export function taskQueueName(prefix: string): string {
  return `${prefix}${ORDERS_TASK_QUEUE}`;
}

/** The worker that runs the order workflow and its activities; `run()` starts it. */
export async function createOrderWorker(options: OrderWorkerOptions): Promise<Worker> {
  const { connection, namespace, prefix, activities, slots, poolSize, drainMs, workflowBundle } = options;
  const { stopwatch = createStopwatch() } = options;
  return unwatchedWorker(stopwatch).create({
    connection,
    namespace,
    taskQueue: taskQueueName(prefix),
    activities,
    ...(workflowBundle
      ? { workflowBundle }
      : { workflowsPath: WORKFLOWS_PATH, bundlerOptions: { preloadModules: PRELOAD_MODULES } }),
    maxConcurrentWorkflowTaskExecutions: Math.max(2, slots),
    maxConcurrentLocalActivityExecutions: Math.min(slots, poolSize * STEPS_PER_CONNECTION),
    maxConcurrentActivityTaskExecutions: slots,
    maxConcurrentWorkflowTaskPolls: Math.max(2, Math.min(WORKFLOW_POLLS, slots)),
    maxConcurrentActivityTaskPolls: Math.min(ACTIVITY_POLLS, slots),
    // An order waits for its carrier most of its life: keep it in memory so that news finds it there.
    maxCachedWorkflows: Math.max(1_000, slots * 4),
    stickyQueueScheduleToStartTimeout: '10 seconds',
    shutdownGraceTime: drainMs,
    shutdownForceTime: drainMs + FORCE_AFTER_MS,
  });
}

const FORCE_AFTER_MS = 2_000;

/** Knows how long what goes on now has been going on. */
export interface Stopwatch {
  time<T>(work: () => Promise<T>): Promise<T>;
  /** Age of the oldest work that has not ended, ms; 0 when there is none. */
  oldestMs(): number;
}

export function createStopwatch(now: () => number = () => performance.now()): Stopwatch {
  // In the order they began: the first one is the oldest.
  const begun = new Map<symbol, number>();
  return {
    time: async (work) => {
      const id = Symbol('work');
      begun.set(id, now());
      try {
        return await work();
      } finally {
        begun.delete(id);
      }
    },
    oldestMs: () => {
      const oldest = begun.values().next();
      return oldest.done ? 0 : now() - oldest.value;
    },
  };
}

/**
 * Temporal's worker without the SDK's watchdog on workflow code: it starts a thread for every call into a workflow,
 * 0.3 ms of CPU each and some 25 of them an order. What it guards against, workflow code that never returns, is seen by
 * `stopwatch` instead, and ends the process through its liveness.
 */
function unwatchedWorker(stopwatch: Stopwatch): typeof Worker {
  return class UnwatchedWorker extends Worker {
    protected static override async createWorkflowCreator(...given: Parameters<typeof Worker.createWorkflowCreator>) {
      const [bundle, options, logger] = given;
      // Not set, although its type does not say so: then no watchdog is started.
      const isolateExecutionTimeoutMs = undefined as unknown as number;
      const creator = await super.createWorkflowCreator(bundle, { ...options, isolateExecutionTimeoutMs }, logger);
      const create = creator.createWorkflow.bind(creator);
      creator.createWorkflow = async (workflowOptions) => {
        const workflow = await create(workflowOptions);
        const activate = workflow.activate.bind(workflow);
        workflow.activate = (activation) => stopwatch.time(() => activate(activation));
        return workflow;
      };
      return creator;
    }
  };
}

const workflows = (file: string): string => fileURLToPath(new URL(`../workflows/${file}`, import.meta.url));

/** The workflows are bundled from here as they are; this folder knows them by path only. */
export const WORKFLOWS_PATH = workflows('order.ts');

/** Loaded once instead of once an order: our workflow modules keep no state of their own. */
export const PRELOAD_MODULES = [workflows('preload.ts'), WORKFLOWS_PATH];

/** The workflows as one script, as a worker runs them. Takes seconds; whoever starts often makes it beforehand. */
export function bundleWorkflows(): Promise<WorkflowBundleWithSourceMap> {
  return bundleWorkflowCode({
    workflowsPath: WORKFLOWS_PATH,
    preloadModules: PRELOAD_MODULES,
    logger: new DefaultLogger('WARN'),
  });
}

/**
 * A bundle that was made beforehand, by its file; undefined when none is named.
 * @throws OmsError OMS_CONFIG_INVALID when the file cannot be read
 */
export async function givenBundle(codePath: string): Promise<WorkerOptions['workflowBundle']> {
  if (codePath === '') return undefined;
  await access(codePath).catch((cause: unknown) => {
    const rule = 'must be a file made by `node tools/bundle-workflows.ts FILE`';
    throw new OmsError('OMS_CONFIG_INVALID', `OMS_WORKFLOW_BUNDLE is ${JSON.stringify(codePath)}: ${rule}`, { cause });
  });
  return { codePath };
}

const LEVELS: Readonly<Record<LogLevel, 'trace' | 'debug' | 'info' | 'warn' | 'error'>> = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
};

/**
 * Temporal's runtime, once a process: its log lines, and those of the workflows, go to ours. The role decides when to
 * stop, so the runtime itself listens to no signals.
 */
export function installRuntime(logger: Logger): void {
  const level = logger.isLevelEnabled('debug') ? 'DEBUG' : 'INFO';
  const write = ({ level: at, message, meta }: LogEntry): void => {
    const { error, ...rest } = meta ?? {};
    logger[LEVELS[at]]({ ...rest, ...(error === undefined ? {} : { err: error }) }, message);
  };
  Runtime.install({
    logger: new DefaultLogger(level, write),
    // Without forwarding, Temporal's core writes its own format to our standard output, between JSON lines.
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }), forward: {} } },
    shutdownSignals: [],
  });
}
