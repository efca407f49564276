import type { Command } from 'commander';
import { createRoleCommand } from './role-command.ts';

/** `oms api` */
export function createCommand(): Command {
  return createRoleCommand({
    name: 'api',
    port: 'OMS_API_HEALTH_PORT',
    load: async () => (await import('../api/main.ts')).startApiRole,
  });
}
