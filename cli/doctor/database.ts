import { assertMigrated } from '../../database/migrate.ts';
import { ok } from './finding.ts';
import type { Verdict } from './finding.ts';
import type { Parts } from './parts.ts';

/** Check: the database answers, and has every migration. */
export async function lookAtDatabase({ database }: Parts): Promise<Verdict[]> {
  const [db, { sql }] = [await database(), await import('kysely')];
  const { rows } = await sql<{ version: string }>`select current_setting('server_version') as version`.execute(db);
  await assertMigrated(db);
  return [ok(`PostgreSQL ${rows[0]?.version ?? '?'}, every migration applied`)];
}

/** For checks that read our tables. @throws when one is missing: the check of the database says so */
export async function migrated({ database }: Parts): Promise<void> {
  await assertMigrated(await database());
}
