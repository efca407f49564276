import type { Admin } from 'kafkajs';
import { offsetsSince } from '../../kafka/admin/log-ends.ts';
import { createLagReader } from '../../kafka/consumer/lag.ts';
import { CONSUMER_GROUPS, groupName, topicNames } from '../../kafka/topics.ts';
import { compareRetention, forgottenBefore, readRetention } from '../../temporal/retention.ts';
import { ok, warning } from './finding.ts';
import type { Verdict } from './finding.ts';
import type { Parts } from './parts.ts';
import { namespaceOf } from './temporal.ts';

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
