import { Command } from 'commander';
import { isOmsError } from '../domain/errors.ts';
import { cliConfig } from '../local/settings.ts';
import type { Config, SettingName } from '../platform/config/settings.ts';
import { createLogger } from '../platform/logger.ts';
import { runRole } from '../platform/role.ts';
import type { RoleOptions } from '../platform/role.ts';
import { examples } from './output.ts';

/** A role as a command. */
export interface RoleCommand {
  name: 'ingest' | 'worker' | 'publisher' | 'api';
  /** The setting of its health port. */
  port: Extract<SettingName, `OMS_${string}_PORT`>;
  load(): Promise<RoleOptions['start']>;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;

/** `oms <role>`: runs until SIGTERM or SIGINT, finishes what is in flight, and exits with 0; 1 after a fatal fault. */
export function createRoleCommand(role: RoleCommand): Command {
  const help = examples(`oms ${role.name}`, `${role.port}=9000 LOG_LEVEL=debug oms ${role.name}`);
  return new Command()
    .addHelpText('after', help)
    .addHelpText('after', `\nServes /livez, /readyz and /metrics on ${role.port}. Logs are JSON lines on stdout.`)
    .action(async () => {
      const config = await cliConfig();
      await untilDeployment(role.name, config);
      const start = watchful(await role.load());
      process.exitCode = await runRole({ name: role.name, config, port: Number(config[role.port]), start });
    });
}

/** A role that ends when its database is exchanged for one that it would not have started with. */
function watchful(start: RoleOptions['start']): RoleOptions['start'] {
  return async (context) => {
    const { watchDatabase } = await import('../resources/watch-database.ts');
    const endWatch = await watchDatabase(context);
    const role = await start(context);
    return { ...role, stop: async () => void (await Promise.all([endWatch(), role.stop()])) };
  };
}

/**
 * Waits while a part is away; anything else ends the role before it has touched an order.
 * @throws OmsError OMS_DEPLOYMENT_MISMATCH, OMS_DATABASE_MIGRATION_BEHIND
 */
async function untilDeployment(name: string, config: Config): Promise<void> {
  const { checkDeployment } = await import('../resources/deployment.ts');
  const logger = createLogger({ role: name, level: config.LOG_LEVEL });
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
    try {
      return await checkDeployment(config);
    } catch (error) {
      if (!isOmsError(error) || !error.retryable) throw error;
      logger.warn({ code: error.code, reason: error.message, retryInMs: wait }, 'waiting for the environment');
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}
