import type { Database } from '../database/database.ts';
import { OmsError } from '../domain/errors.ts';
import type { Config } from '../platform/config/settings.ts';
import { commandResources } from './profiles.ts';
import type { Resources } from './resources.ts';

const NO_SUCH_TABLE = '42P01';

/**
 * Opens a command's resources for `work` and closes them whatever comes of it.
 * @throws OmsError OMS_DATABASE_UNAVAILABLE, or OMS_DATABASE_MIGRATION_BEHIND where the tables are missing
 */
export async function withCommandResources<T>(config: Config, work: (resources: Resources) => Promise<T>): Promise<T> {
  await using resources = commandResources(config);
  try {
    return await work(resources);
  } catch (error) {
    const { databaseError, sqlState } = await import('../database/database.ts');
    if (sqlState(error) !== NO_SUCH_TABLE) throw databaseError(error);
    throw new OmsError('OMS_DATABASE_MIGRATION_BEHIND', 'the database has no tables yet: run `./oms setup`', {
      cause: error,
    });
  }
}

/** The same, for work on the database alone. */
export function withDatabase<T>(config: Config, work: (db: Database) => Promise<T>): Promise<T> {
  return withCommandResources(config, async (resources) => work(await resources.database()));
}
