import { spawn } from 'node:child_process';

/**
 * Reads process ids until its input ends, which it does when we are gone, however we went; then ends them and removes
 * the directory.
 */
const SCRIPT = `
pids=
while read -r pid; do pids="$pids $pid"; done
for pid in $pids; do kill -9 "$pid" 2>/dev/null; done
sleep 1
rm -rf -- "$1"
`;

/** Sees to it that an ephemeral stack does not outlive us, even if we are killed. */
export interface Guard {
  watch(pid: number): void;
  /** Everything was stopped properly: the guard has nothing to do. */
  dismiss(): void;
}

export function createGuard(directory: string): Guard {
  const child = spawn('sh', ['-c', SCRIPT, 'oms-guard', directory], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.unref();
  // The pipe must not keep us alive.
  (child.stdin as unknown as { unref(): void }).unref();
  child.stdin.on('error', () => undefined);
  return {
    watch: (pid) => void child.stdin.write(`${pid}\n`),
    dismiss: () => void child.kill('SIGKILL'),
  };
}
