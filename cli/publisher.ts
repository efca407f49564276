import type { Command } from 'commander';
import { createRoleCommand } from './role-command.ts';

/** `oms publisher` */
export function createCommand(): Command {
  return createRoleCommand({
    name: 'publisher',
    port: 'OMS_PUBLISHER_PORT',
    load: async () => (await import('../outbox/main.ts')).startPublisherRole,
  });
}
