import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

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

export interface WorkerProcess {
  /** Resolves with the signal that ended it, or its exit code. */
  gone: Promise<string>;
  end(signal: NodeJS.Signals): Promise<string>;
  log(): string;
}

const SCRIPT = fileURLToPath(new URL('./worker-process.ts', import.meta.url));

/** A worker in a process of its own, which may kill itself at a boundary. */
export function spawnWorker(options: WorkerProcessOptions): WorkerProcess {
  const env = { PATH: process.env.PATH, OMS_TEST_WORKER: JSON.stringify(options) };
  const child = spawn(process.execPath, [SCRIPT], { env, stdio: ['pipe', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const gone = once(child, 'exit').then(() => child.signalCode ?? String(child.exitCode));
  return {
    log: () => log,
    gone,
    end: (signal) => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return gone;
    },
  };
}
