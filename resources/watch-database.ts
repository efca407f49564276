import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../database/database.ts';
import { readIdentity } from '../database/deployment/deployment.ts';
import { isOmsError } from '../domain/errors.ts';
import type { Config } from '../platform/config/settings.ts';
import { EXIT_CODES } from '../platform/exit-codes.ts';
import type { Logger } from '../platform/logger.ts';
import { checkDeployment } from './deployment.ts';
import { watchResources } from './profiles.ts';

const EVERY_MS = 5_000;

/** What the watch works with. */
export interface Watched {
  config: Config;
  logger: Logger;
}

/**
 * Compares again what was compared at the role's start when another database has come into the place of the one it began
 * with: a restored backup, or a replica that lacks transactions, would give out ids and numbers a second time. The process
 * ends then with code 1, at once: what it still finished would be done on the wrong database. Started again, the role says
 * why it does not. Resolves with what ends the watch.
 */
export async function watchDatabase({ config, logger }: Watched): Promise<() => Promise<void>> {
  const resources = watchResources(config, logger);
  const db = await resources.database();
  const ended = new AbortController();
  const first = await readIdentity(db).catch(() => undefined);
  const watching = watch(db, first, { config, logger }, ended.signal);
  return async () => {
    ended.abort();
    await watching;
    await resources.close();
  };
}

async function watch(
  db: Database,
  first: string | undefined,
  { config, logger }: Watched,
  signal: AbortSignal,
): Promise<void> {
  for (let known = first; !signal.aborted; await delay(EVERY_MS, undefined, { signal }).catch(() => undefined)) {
    try {
      const identity = await readIdentity(db);
      if (identity === known) continue;
      logger.warn({ was: known, is: identity }, 'another database has taken the place of ours: compared again');
      await checkDeployment(config);
      known = identity;
    } catch (err) {
      // A part that is away is the role's own concern; it is compared when it is back.
      if (!isOmsError(err) || err.retryable) {
        logger.warn({ err }, 'our database not looked at, trying again');
        continue;
      }
      logger.fatal({ err }, 'role failed');
      process.exit(EXIT_CODES.failed);
    }
  }
}
