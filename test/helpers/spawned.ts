import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

/** A process of a test's own. */
export interface Spawned {
  pid: number;
  /** Resolves with the signal that ended it, or its exit code. */
  gone: Promise<string>;
  isGone(): boolean;
  /** Sends the signal, unless it has ended; resolves as `gone`. */
  end(signal: NodeJS.Signals): Promise<string>;
  /** All it has printed so far. */
  log(): string;
}

/**
 * Runs a script of this folder with these settings and no others. Its standard input is a pipe, which tells it when the
 * test's own process ends (`end-with-parent.ts`).
 */
export function spawnScript(script: string, settings: Record<string, string | undefined>): Spawned {
  const env = { PATH: process.env.PATH, ...settings };
  const child = spawn(process.execPath, [path.join(import.meta.dirname, script)], { env, stdio: 'pipe' });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const gone = once(child, 'close').then(() => child.signalCode ?? String(child.exitCode));
  const isGone = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const end = (signal: NodeJS.Signals): Promise<string> => {
    if (!isGone()) child.kill(signal);
    return gone;
  };
  return { pid: child.pid ?? 0, gone, isGone, end, log: () => log };
}
