import { isOmsError } from '../domain/errors.ts';
import type { Config } from '../platform/config/settings.ts';
import { createLogger } from '../platform/logger.ts';
import { runProcess } from '../platform/role.ts';
import type { RoleContext, RunningRole } from '../platform/role.ts';
import type { RoleName } from '../platform/roles.ts';
import { checkDeployment } from './deployment.ts';
import { roleResources } from './profiles.ts';
import type { Resources } from './resources.ts';
import { watchDatabase } from './watch-database.ts';

/** Starts a role on these resources. What its `stop` leaves open of them is closed after it. */
export type StartRole = (context: RoleContext, resources: Resources) => Promise<RunningRole>;

export interface RoleOptions {
  name: RoleName;
  config: Config;
  /** Of its health checks and metrics. */
  port: number;
  /** Loads the role's module, once its environment is what it must be. */
  load: () => Promise<StartRole>;
}

/**
 * Runs a role until it is asked to stop, and keeps it off a database that is another deployment's or an older one: it does
 * not start on one, and ends when one takes the place of its own. Resolves with the exit code.
 * @throws OmsError OMS_DEPLOYMENT_MISMATCH, OMS_DATABASE_BEHIND, OMS_REBUILD_UNDER_WAY, OMS_DATABASE_MIGRATION_BEHIND
 *   before the role has touched an order
 */
export async function runRole({ name, config, port, load }: RoleOptions): Promise<number> {
  await untilDeployment(name, config);
  const start = await load();
  return runProcess({ name, config, port, start: (context) => startWatched(name, start, context) });
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;

/** Waits while a part is away; anything else ends the role before it has touched an order. */
async function untilDeployment(name: RoleName, config: Config): Promise<void> {
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

/** The watch begins first: the role must not work on a database that nobody looks at. */
async function startWatched(name: RoleName, start: StartRole, context: RoleContext): Promise<RunningRole> {
  const endWatch = await watchDatabase(context);
  try {
    const role = await startUnguarded(name, start, context);
    return { ...role, stop: async () => void (await Promise.all([endWatch(), role.stop()])) };
  } catch (error) {
    await endWatch();
    throw error;
  }
}

/** Starts a role on resources of its own, which are closed when it has stopped. Nothing looks at its database. */
export async function startUnguarded(name: RoleName, start: StartRole, context: RoleContext): Promise<RunningRole> {
  const resources = roleResources(name, context.config, context.logger);
  const stopAfter = async (stop: () => Promise<void>): Promise<void> => {
    try {
      await stop();
    } finally {
      await resources.close();
    }
  };
  try {
    const role = await start(context, resources);
    return { ...role, stop: () => stopAfter(() => role.stop()) };
  } catch (error) {
    await resources.close();
    throw error;
  }
}
