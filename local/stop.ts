import { OmsError } from '../domain/errors.ts';
import { stopComponent } from './component.ts';
import { endProcess, isRunning, runningAmong } from './processes.ts';
import { createRecorder, readStack } from './state-file.ts';
import type { Recorder } from './state-file.ts';
import { COMPONENTS } from './types.ts';
import type { ComponentName } from './types.ts';

/** `oms up` needs this long at most to stop its roles and the stack; a role gets as long for itself. */
const SUPERVISOR_GRACE_MS = 90_000;
const ROLE_GRACE_MS = 30_000;

const STOP_SIGNALS: Readonly<Record<ComponentName, 'SIGTERM' | 'SIGINT'>> = {
  kafka: 'SIGTERM',
  registry: 'SIGTERM',
  temporal: 'SIGTERM',
  // Fast shutdown: open connections are closed instead of waited for.
  postgres: 'SIGINT',
};

/** The parts do not depend on each other: they are stopped together, after the roles that use them. */
export async function stopComponents(recorder: Recorder): Promise<void> {
  await Promise.all(COMPONENTS.map((name) => stopComponent(name, STOP_SIGNALS[name], recorder)));
}

/**
 * Ends whatever is recorded of a state directory: the `oms up` that looks after it, which stops the rest, or else
 * roles and parts that were left behind. Resolves with the names of what was ended.
 */
export async function stopStack(stateDir: string): Promise<string[]> {
  const record = await readStack(stateDir);
  if (!record) return [];
  const { supervisor } = record;
  const supervised = supervisor !== undefined && (await isRunning(supervisor));
  if (supervised) await endProcess(supervisor, 'SIGTERM', SUPERVISOR_GRACE_MS);
  // It has stopped everything, unless it had to be killed: look again.
  const ended = await stopLeft(createRecorder((await readStack(stateDir)) ?? record));
  return supervised ? ['oms up', ...ended] : ended;
}

async function stopLeft(recorder: Recorder): Promise<string[]> {
  const roles = await stopRoles(recorder);
  const parts = await runningAmong(recorder.record.components);
  await stopComponents(recorder);
  await recorder.update((record) => {
    delete record.supervisor;
  });
  return [...roles, ...parts];
}

/** Ends roles that an `oms up` left behind when it was killed. Resolves with their names. */
export async function stopRoles(recorder: Recorder): Promise<string[]> {
  const roles = recorder.record.roles ?? {};
  const left = await runningAmong(roles);
  await Promise.all(Object.values(roles).map((role) => endProcess(role, 'SIGTERM', ROLE_GRACE_MS)));
  await recorder.update((record) => {
    delete record.roles;
  });
  return left;
}

/** @throws OmsError OMS_LOCAL_ALREADY_UP when another process looks after this state directory */
export async function requireAlone(stateDir: string): Promise<void> {
  const supervisor = (await readStack(stateDir))?.supervisor;
  if (!supervisor || supervisor.pid === process.pid || !(await isRunning(supervisor))) return;
  throw new OmsError(
    'OMS_LOCAL_ALREADY_UP',
    `\`oms up\` already runs here (process ${supervisor.pid}). Use it, end it with \`oms down\`, ` +
      'or set OMS_STATE_DIR and the ports for a second one.',
  );
}
