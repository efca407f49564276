import { Command } from 'commander';
import { cliConfig } from '../local/settings.ts';
import type { SettingName } from '../platform/config/settings.ts';
import type { RoleName } from '../platform/roles.ts';
import type { RoleOptions } from '../resources/run-role.ts';
import { examples } from './output.ts';

/** A role as a command. */
export interface RoleCommand extends Pick<RoleOptions, 'load'> {
  name: RoleName;
  /** The setting of its health port. */
  port: Extract<SettingName, `OMS_${string}_PORT`>;
}

/** `oms <role>`: runs until SIGTERM or SIGINT, finishes what is in flight, and exits with 0; 1 after a fatal fault. */
export function createRoleCommand({ name, port, load }: RoleCommand): Command {
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
