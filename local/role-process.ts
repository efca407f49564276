import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { childEnvironment } from '../platform/config/environment.ts';
import { openLog } from './logs.ts';

/** A role as the supervisor runs it. */
export interface RoleSpec {
  name: string;
  /** Arguments after the node binary: `['cli/oms.js', 'worker']`. */
  args: string[];
  /** Answers 200 when the role is ready for work. */
  readyUrl: string;
}

export interface RoleExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface RoleProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<RoleExit>;
}

/**
 * Starts a role with its output in its log file. The channel carries no messages: it closes when we are gone, however
 * we went, and the role ends in order then. A process group of its own keeps the terminal's Ctrl-C away from it.
 */
export async function launchRole(
  role: RoleSpec,
  stateDir: string,
  environment: Record<string, string>,
): Promise<RoleProcess> {
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
export async function isReady(role: RoleSpec): Promise<boolean> {
  const answer = await fetch(role.readyUrl, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
  await answer?.body?.cancel();
  return answer?.ok ?? false;
}
