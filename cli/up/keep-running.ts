import { watchLogs } from '../../local/log-watch.ts';
import type { ProgressView } from '../../local/progress-view.ts';
import type { Stack } from '../../local/stack.ts';
import type { RoleEvent, RoleSpec } from '../../local/supervisor.ts';
import { watchStack } from '../../local/watch.ts';

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

/** Shows what happens to the roles: as progress until all are ready once, as lines after that. */
export function roleProgress(view: ProgressView): (event: RoleEvent) => void {
  const known = new Set<string>();
  return (event) => {
    const { role, what } = event;
    if (what === 'starting' && !known.has(role)) view.update({ part: role, state: 'running', detail: 'starting' });
    if (what === 'starting') known.add(role);
    if (what === 'ready') view.update({ part: role, state: 'done', detail: 'ready' });
    if (what === 'stopped') view.say(`${role} stopped`);
    if (what === 'ended') {
      const { code, signal } = event.exit;
      view.say(`${role} ended (${signal ?? `exit code ${code}`}); starting it again in ${seconds(event.againInMs)}`);
    }
  };
}

/** Watches the stack's parts and the roles' logs from now on; parts that end are started again. */
export function keepRunning(
  stack: Stack,
  roles: readonly RoleSpec[],
  note: (text: string) => void,
): { stop(): Promise<void> } {
  const stopWatching = watchStack({
    stack,
    onEnded: (name, againInMs) => note(`${name} ended by itself; starting it again in ${seconds(againInMs)}`),
    onFailed: (name, error) => note(`${name} did not start: ${error instanceof Error ? error.message : String(error)}`),
  });
  const names = roles.map(({ name }) => name);
  const stopFollowing = watchLogs(stack.stateDir, names, ({ role, message }) => note(`${role}: ${message}`));
  return { stop: async () => void (await Promise.all([stopWatching(), stopFollowing()])) };
}
