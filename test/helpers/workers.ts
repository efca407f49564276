import { spawnScript } from './spawned.ts';
import type { Spawned } from './spawned.ts';

export interface WorkerProcessOptions {
  /** Of the database. */
  url: string;
  prefix: string;
  registryUrl: string;
  temporalAddress: string;
  bundlePath: string;
  /** `before` or `after` an activity or a provider's call. */
  killAt?: string;
}

/** A worker in a process of its own, which may kill itself at a boundary. */
export function spawnWorker(options: WorkerProcessOptions): Spawned {
  return spawnScript('worker-process.ts', { OMS_TEST_WORKER: JSON.stringify(options) });
}
