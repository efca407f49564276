import type { Admin } from 'kafkajs';
import { createLagReader } from '../../kafka/lag.ts';
import { groupName, topicNames } from '../../kafka/topics.ts';
import { describeNamespace } from '../setup/namespace.ts';
import { topicConfig } from '../setup/topics.ts';
import { ok, warning } from './finding.ts';
import type { Verdict } from './finding.ts';
import type { Parts } from './parts.ts';

const HOUR_MS = 3_600_000;

/**
 * Check: how long `orders` keeps events, against how long Temporal remembers closed orders and how old the ledger is. What
 * Temporal has forgotten the ledger decides; events from before the ledger it knows only if they came since.
 */
export async function lookAtRetention(parts: Parts): Promise<Verdict[]> {
  const { config, kafka, temporal, database } = parts;
  const [{ admin }, connection, db] = [await kafka(), await temporal(), await database()];
  const topic = topicNames(config.OMS_PREFIX).orders;
  const namespace = await describeNamespace(connection, config.TEMPORAL_NAMESPACE);
  const ledger = await db.selectFrom('deployment').select('created_at').executeTakeFirst();
  if (!namespace || !ledger || !(await admin.listTopics()).includes(topic))
    return [{ level: 'skipped', detail: 'not looked at: topic, namespace or deployment id is missing' }];
  const { values } = await topicConfig(admin, topic);
  const told = `${topic} keeps events ${keptFor(values)}, Temporal closed orders ${inWords(namespace.retentionMs)}`;
  const since = ledger.created_at.toISOString();
  const forgotten = Math.min(ledger.created_at.getTime(), Date.now() - namespace.retentionMs);
  const older = await unreadBefore(admin, topic, groupName(config.OMS_PREFIX, 'ingest'), forgotten);
  if (older === 0) return [ok(`${told}; the ledger knows every order id since ${since}`)];
  const detail =
    `${told}; ${older} unread records are older than both and than the ledger (${since}): ` +
    'orders among them would be taken for new ones';
  const fix = 'if another database took them in, restore that one before ./oms ingest reads them';
  return [warning('OMS_RETENTION_RISK', detail, { about: `topic ${topic}`, fix })];
}

function keptFor(values: Readonly<Record<string, string>>): string {
  const ms = values['cleanup.policy']?.includes('delete') ? Number(values['retention.ms'] ?? -1) : -1;
  return ms < 0 ? 'for ever' : inWords(ms);
}

const inWords = (ms: number): string => `${Math.round(ms / HOUR_MS)} h`;

/** Records from before a time, in ms, which the group has not read. */
async function unreadBefore(admin: Admin, topic: string, groupId: string, at: number): Promise<number> {
  const lags = await createLagReader({ admin, groupId, topics: [topic] }).read();
  const later = await admin.fetchTopicOffsetsByTimestamp(topic, at);
  const firstLater = new Map(later.map(({ partition, offset }) => [partition, BigInt(offset)]));
  const count = lags.reduce((sum, { partition, start, committed }) => {
    const from = committed !== null && committed > start ? committed : start;
    const end = firstLater.get(partition) ?? 0n;
    return sum + (end > from ? end - from : 0n);
  }, 0n);
  return Number(count);
}
