import type { Command } from 'commander';
import { createRoleCommand } from './role-command.ts';

/** `oms worker` */
export function createCommand(): Command {
  return createRoleCommand({
    name: 'worker',
    port: 'OMS_WORKER_PORT',
    load: async () => (await import('../workers/main.ts')).startWorkerRole,
  });
}
