import type { MigrationSet } from '../database/apply-migrations.ts';

/**
 * Changes of the simulated providers' tables, which `oms setup` applies after the OMS's own; see database/migrations for
 * how one looks. None so far: the tables are from the time when they were the OMS's (0001, 0004 and 0005).
 */
export const SIMULATOR_MIGRATIONS: MigrationSet = { table: 'simulator_migration', migrations: {} };
