import type { Admin } from 'kafkajs';
import { groupName, topicNames } from '../topics.ts';
import type { TopicKind } from '../topics.ts';

/** How far a role has committed, by partition; empty when its group has committed nothing. @default ingest, of `orders` */
export async function committedOffsets(
  admin: Admin,
  prefix: string,
  role = 'ingest',
  kind: TopicKind = 'orders',
): Promise<Map<number, bigint>> {
  const groupId = groupName(prefix, role);
  const [found] = await admin.fetchOffsets({ groupId, topics: [topicNames(prefix)[kind]] });
  const offsets = (found?.partitions ?? []).map(({ partition, offset }): [number, bigint] => [
    partition,
    BigInt(offset),
  ]);
  return new Map(offsets.filter(([, offset]) => offset > 0n));
}
