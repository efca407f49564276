import type { Command } from 'commander';
import { createRoleCommand } from './role-command.ts';

/** `oms ingest` */
export function createCommand(): Command {
  return createRoleCommand({
    name: 'ingest',
    port: 'OMS_INGEST_PORT',
    load: async () => (await import('../ingest/main.ts')).startIngestRole,
  });
}
