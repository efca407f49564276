import { Command } from 'commander';
import { cliConfig } from '../local/settings.ts';
import type { SettingName } from '../platform/config/settings.ts';
import type { RoleName } from '../platform/roles.ts';
import type { RoleOptions } from '../resources/run-role.ts';
import { examples } from './output.ts';

/** A role as a command. */
interface RoleCommand extends Pick<RoleOptions, 'load'> {
  name: RoleName;
  /** The setting of its health port. */
  port: Extract<SettingName, `OMS_${string}_PORT`>;
}

/** `oms ingest` */
export const ingest = role({
  name: 'ingest',
  port: 'OMS_INGEST_PORT',
  load: async () => (await import('../ingest/main.ts')).startIngestRole,
});

/** `oms worker` */
export const worker = role({
  name: 'worker',
  port: 'OMS_WORKER_PORT',
  load: async () => (await import('../workers/main.ts')).startWorkerRole,
});

/** `oms publisher` */
export const publisher = role({
  name: 'publisher',
  port: 'OMS_PUBLISHER_PORT',
  load: async () => (await import('../outbox/main.ts')).startPublisherRole,
});

/** `oms api` */
export const api = role({
  name: 'api',
  port: 'OMS_API_HEALTH_PORT',
  load: async () => (await import('../api/main.ts')).startApiRole,
});

function role(command: RoleCommand): { createCommand(): Command } {
  return { createCommand: () => createRoleCommand(command) };
}

/** `oms <role>`: runs until SIGTERM or SIGINT, finishes what is in flight, and exits with 0; 1 after a fatal fault. */
function createRoleCommand({ name, port, load }: RoleCommand): Command {
  const help = examples(`oms ${name}`, `${port}=9000 LOG_LEVEL=debug oms ${name}`);
  return new Command()
    .addHelpText('after', help)
    .addHelpText('after', `\nServes /livez, /readyz and /metrics on ${port}. Logs are JSON lines on stdout.`)
    .action(async () => {
      const config = await cliConfig();
      const { runRole } = await import('../resources/run-role.ts');
      process.exitCode = await runRole({ name, config, port: Number(config[port]), load });
    });
}
