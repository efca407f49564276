import { assertMigrated } from '../../database/migrate.ts';
import { isFeedAhead } from '../../database/outbox/outbox-feed.ts';
import { fault, ok } from './finding.ts';
import type { Verdict } from './finding.ts';
import type { Parts } from './parts.ts';

const FEED_AHEAD =
  'events carry numbers that transactions of this server have not come to: /v1/events is silent until `./oms setup` is run';

/** Check: the database answers, and has every migration. */
export async function lookAtDatabase({ database }: Parts): Promise<Verdict[]> {
  const [db, { sql }] = [await database(), await import('kysely')];
  const { rows } = await sql<{ version: string }>`select current_setting('server_version') as version`.execute(db);
  await assertMigrated(db);
  const whole = ok(`PostgreSQL ${rows[0]?.version ?? '?'}, every migration applied`);
  return (await isFeedAhead(db)) ? [whole, fault('OMS_DATABASE_FEED_AHEAD', FEED_AHEAD)] : [whole];
}

/** For checks that read our tables. @throws when one is missing: the check of the database says so */
export async function migrated({ database }: Parts): Promise<void> {
  await assertMigrated(await database());
}
