import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { ProcessIdentity } from './types.ts';

const run = promisify(execFile);

/** How often a process is looked at while it is waited for. */
const LOOK_EVERY_MS = 50;

/** When a running process started, or undefined when none has this pid (a zombie counts as ended). */
async function startOf(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') return startFromProc(pid);
  try {
    const { stdout } = await run('ps', ['-o', 'lstart=', '-p', String(pid)], { env: { LC_ALL: 'C' } });
    return stdout.trim() || undefined;
  } catch {
    return undefined;
  }
}

/** Clock ticks since boot are only unique together with the boot. */
async function startFromProc(pid: number): Promise<string | undefined> {
  try {
    const [stat, boot] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    ]);
    // The second field, the command in parentheses, may hold spaces: count from behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, ticks] = [fields[0], fields[19]];
    return state === 'Z' || state === 'X' ? undefined : `${boot.trim()}/${ticks}`;
  } catch {
    return undefined;
  }
}

/** The identity of a running process; undefined when it has ended. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const started = await startOf(pid);
  return started === undefined ? undefined : { pid, started };
}

/** Whether exactly this process still runs, not another one with its pid. */
export async function isRunning(process: ProcessIdentity): Promise<boolean> {
  return (await startOf(process.pid)) === process.started;
}

/** The names whose processes still run. */
export async function runningAmong<K extends string>(processes: Partial<Record<K, ProcessIdentity>>): Promise<K[]> {
  const known = Object.entries(processes) as [K, ProcessIdentity][];
  const alive = await Promise.all(known.map(([, identity]) => isRunning(identity)));
  return known.filter((_, i) => alive[i]).map(([name]) => name);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended in between: that is what was wanted.
  }
}

/** Resolves with whether the process ended within `withinMs`. */
export async function waitForEnd(target: ProcessIdentity, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (await isRunning(target)) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return true;
}

/** Ends a process: `signal`, and SIGKILL when it still runs after `graceMs`. A process that is gone is fine. */
export async function endProcess(target: ProcessIdentity, signal: NodeJS.Signals, graceMs: number): Promise<void> {
  if (!(await isRunning(target))) return;
  send(target.pid, signal);
  if (await waitForEnd(target, graceMs)) return;
  send(target.pid, 'SIGKILL');
  await waitForEnd(target, graceMs);
}
