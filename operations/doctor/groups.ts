import type { Database } from '../../database/database.ts';
import { topicsThere } from '../../kafka/admin/topics-there.ts';
import { createLagReader } from '../../kafka/consumer/lag.ts';
import type { PartitionLag } from '../../kafka/consumer/lag.ts';
import { groupName, topicNames } from '../../kafka/topics.ts';
import type { TopicKind } from '../../kafka/topics.ts';
import { fault, ok, warning } from './finding.ts';
import type { Verdict } from './finding.ts';
import type { Parts } from './parts.ts';

/** The groups of the roles, by the topic each reads. */
const GROUPS: readonly { group: string; kind: TopicKind }[] = [
  { group: 'ingest', kind: 'orders' },
  { group: 'carrier', kind: 'carrier-updates' },
  { group: 'stock', kind: 'stock-levels' },
];

/** Check: what each group has committed is there, and lies within what its topic holds. */
export async function lookAtGroups(parts: Parts): Promise<Verdict[]> {
  const [{ admin }, db] = [await parts.kafka(), await parts.database()];
  const prefix = parts.config.OMS_PREFIX;
  const there = await topicsThere(
    admin,
    GROUPS.map(({ kind }) => topicNames(prefix)[kind]),
  );
  const found = await Promise.all(
    GROUPS.map(async ({ group, kind }) => {
      const topic = topicNames(prefix)[kind];
      if (!there.has(topic)) return []; // told by the check of the topics
      const groupId = groupName(prefix, group);
      const lags = await createLagReader({ admin, groupId, topics: [topic] }).read();
      const isForgotten = kind === 'orders' && (await hasReadUncommitted(db, lags));
      return groupVerdicts(groupId, topic, lags, isForgotten);
    }),
  );
  const verdicts = found.flat();
  return verdicts.length > 0 ? verdicts : [ok(`offsets of ${GROUPS.length} groups lie within their topics`)];
}

const uncommitted = (lags: readonly PartitionLag[]): PartitionLag[] =>
  lags.filter(({ committed, start, end }) => committed === null && end > start);

/** Whether the ledger has orders of a partition whose offset is gone: the group did read it, once. */
async function hasReadUncommitted(db: Database, lags: readonly PartitionLag[]): Promise<boolean> {
  for (const { topic, partition } of uncommitted(lags)) {
    const row = await db
      .selectFrom('ledger')
      .select('order_id')
      .where('record_topic', '=', topic)
      .where('record_partition', '=', partition)
      .limit(1)
      .executeTakeFirst();
    if (row) return true;
  }
  return false;
}

/** @param isForgotten the database knows what the group had read, though no offset tells of it */
export function groupVerdicts(
  groupId: string,
  topic: string,
  lags: readonly PartitionLag[],
  isForgotten: boolean,
): Verdict[] {
  const about = `group ${groupId}`;
  const without = uncommitted(lags);
  const where = (some: readonly PartitionLag[]): string =>
    `${topic} ${some.map(({ partition }) => partition).join(', ')}`;
  const told: Verdict[] = [];
  if (without.length > 0 && isForgotten) {
    const detail = `its offsets have expired or were deleted (${where(without)}), though the ledger knows orders from there`;
    told.push(fault('OMS_KAFKA_OFFSETS_LOST', detail, { about }));
  } else if (without.length > 0) {
    const detail = `has committed nothing on ${where(without)}, which hold records: no role has read them, or its offsets have expired`;
    told.push(warning('OMS_KAFKA_OFFSETS_LOST', detail, { about, fix: './oms ingest (reads from the first record)' }));
  }
  const deleted = lags.filter(({ committed, start }) => committed !== null && committed < start);
  if (deleted.length > 0) {
    const detail = `records it had not read were deleted by retention (${where(deleted)})`;
    const fix = 'have upstream send those orders again, then ./oms setup, which sets the retention';
    told.push(fault('OMS_KAFKA_OFFSETS_LOST', detail, { about, fix }));
  }
  const beyond = lags.filter(({ committed, end }) => committed !== null && committed > end);
  if (beyond.length > 0) {
    const detail = `it is further than ${where(beyond)}: the topic was made anew`;
    told.push(fault('OMS_KAFKA_OFFSETS_LOST', detail, { about }));
  }
  return told;
}
