import type { Admin } from 'kafkajs';
import { assertNotRebuilding } from '../../database/deployment/deployment.ts';
import { assertMigrated } from '../../database/migrate.ts';
import { isFeedAhead } from '../../database/outbox/outbox-feed.ts';
import { OmsError } from '../../domain/errors.ts';
import { offsetsSince } from '../../kafka/admin/log-ends.ts';
import { createLagReader } from '../../kafka/consumer/lag.ts';
import { CONSUMER_GROUPS, groupName, topicNames } from '../../kafka/topics.ts';
import { localStateDir } from '../../local/settings.ts';
import { assertWhole } from '../../resources/deployment.ts';
import { describeNamespace } from '../../temporal/client.ts';
import type { Namespace } from '../../temporal/client.ts';
import { compareRetention, forgottenBefore, readRetention } from '../../temporal/retention.ts';
import { fault, ok, warning } from './finding.ts';
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

/** Check: database, namespace, topics and state directory carry one deployment id, and the database knows what was told. */
export async function lookAtDeployment({ config, kafka, database, temporal }: Parts): Promise<Verdict[]> {
  const [{ client, admin, connection }, db, server] = [await kafka(), await database(), await temporal()];
  const stateDir = await localStateDir(config);
  await assertNotRebuilding(db);
  const marks = await assertWhole({ config, db, kafka: client, admin, connection, temporal: server, stateDir });
  return [
    ok(`${Object.keys(marks).join(', ')} belong together: ${marks.database}; the database is not behind the topics`),
  ];
}

/** Check: the server answers, and the namespace is there. */
export async function lookAtTemporal(parts: Parts): Promise<Verdict[]> {
  const { config, temporal } = parts;
  const connection = await temporal();
  const name = config.TEMPORAL_NAMESPACE;
  const { serverVersion } = await connection.workflowService.getSystemInfo({});
  const namespace = await namespaceOf(parts);
  const found = ok(`server ${serverVersion}, namespace ${name}`);
  if (namespace.retentionMs >= config.OMS_TEMPORAL_RETENTION) return [found];
  const hours = Math.ceil(config.OMS_TEMPORAL_RETENTION / 3_600_000);
  const detail = `keeps closed workflows for less than OMS_TEMPORAL_RETENTION (${hours} h): operators see less of what was`;
  const fix = `temporal operator namespace update --namespace ${name} --retention ${hours}h`;
  return [found, warning('OMS_SETUP_DRIFT', detail, { about: `namespace ${name}`, fix })];
}

/** @throws OmsError OMS_TEMPORAL_NAMESPACE_MISSING */
export async function namespaceOf({ config, temporal }: Parts): Promise<Namespace> {
  const name = config.TEMPORAL_NAMESPACE;
  const namespace = await describeNamespace(await temporal(), name);
  if (namespace) return namespace;
  const where = `Temporal at ${config.TEMPORAL_ADDRESS}`;
  throw new OmsError('OMS_TEMPORAL_NAMESPACE_MISSING', `${where} has no namespace ${name} (TEMPORAL_NAMESPACE)`);
}

/**
 * Check: how long topics keep order events against what Temporal and the ledger remember, judged as ingest does at its
 * start; and how many of those it has still to read nobody can tell from new ones.
 */
export async function lookAtRetention(parts: Parts): Promise<Verdict[]> {
  const [{ admin }, db] = [await parts.kafka(), await parts.database()];
  const prefix = parts.config.OMS_PREFIX;
  const retention = async (): Promise<number> => (await namespaceOf(parts)).retentionMs;
  const facts = await readRetention({ admin, db, prefix, retention });
  const { orders } = topicNames(prefix);
  const forgotten = forgottenBefore(facts);
  const hasOrders = facts.topics.some(({ topic }) => topic === orders);
  const unread =
    hasOrders && forgotten !== null
      ? await unreadBefore(admin, orders, groupName(prefix, CONSUMER_GROUPS.ingest), forgotten)
      : 0;
  return compareRetention(facts).map(({ level, topic, message, remedy }) => {
    const about = `topic ${topic}`;
    if (level === 'note') return ok(message, about);
    const detail = topic === orders && unread > 0 ? `${message}; ${unread} unread records are older` : message;
    return warning('OMS_RETENTION_RISK', detail, { about, fix: remedy });
  });
}

/** Records from before a time, in ms, which the group has not read. */
async function unreadBefore(admin: Admin, topic: string, groupId: string, at: number): Promise<number> {
  const lags = await createLagReader({ admin, groupId, topics: [topic] }).read();
  const later = await offsetsSince(admin, topic, at);
  const firstLater = new Map(later.map(({ partition, offset }) => [partition, BigInt(offset)]));
  const count = lags.reduce((sum, { partition, start, committed }) => {
    const from = committed !== null && committed > start ? committed : start;
    const end = firstLater.get(partition) ?? 0n;
    return sum + (end > from ? end - from : 0n);
  }, 0n);
  return Number(count);
}
