import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin } from 'kafkajs';
import { logEnds } from '../admin/log-ends.ts';
import { groupName, topicNames } from '../topics.ts';
import type { TopicKind } from '../topics.ts';

export interface PartitionLag {
  topic: string;
  partition: number;
  /** null: the group has committed nothing here */
  committed: bigint | null;
  start: bigint;
  end: bigint;
  /** Records behind the end; without a commit, all that the log holds. */
  lag: bigint;
}

export interface LagReader {
  read(): Promise<PartitionLag[]>;
}

/**
 * Consumer lag as the cluster sees it: end of the log minus what is committed. Not taken from the consumer, because a
 * stuck one reports nothing. `admin` must be connected.
 */
export function createLagReader(options: { admin: Admin; groupId: string; topics: readonly string[] }): LagReader {
  const { admin, groupId, topics } = options;
  let reading: Promise<PartitionLag[]> | undefined;
  const read = async (): Promise<PartitionLag[]> => {
    const committed = await admin.fetchOffsets({ groupId, topics: [...topics] });
    const perTopic = await Promise.all(
      topics.map(async (topic) => {
        const offsets = committed.find((one) => one.topic === topic)?.partitions ?? [];
        const byPartition = new Map(offsets.map(({ partition, offset }) => [partition, BigInt(offset)]));
        const ends = await logEnds(admin, topic);
        return ends.map((end) => lagOf(topic, end, byPartition.get(end.partition)));
      }),
    );
    return perTopic.flat();
  };
  // Whoever asks while the brokers take their time for an answer gets that one.
  return { read: () => (reading ??= read().finally(() => (reading = undefined))) };
}

/** While brokers come and go an answer takes its time; whoever asks for figures has none. */
const FIGURES_WITHIN_MS = 3_000;

/** Several groups as one; a group that cannot be asked now is left out. */
export function joinLagReaders(readers: readonly LagReader[]): LagReader {
  return {
    read: async () => {
      const answers = await Promise.all(readers.map((reader) => inTime(reader.read().catch(() => []))));
      return answers.flat();
    },
  };
}

/** Nothing, of what takes too long. */
async function inTime<T>(reading: Promise<T[]>): Promise<T[]> {
  const over = new AbortController();
  const late = sleep(FIGURES_WITHIN_MS, [], { signal: over.signal }).catch(() => []);
  return Promise.race([reading, late]).finally(() => over.abort());
}

function lagOf(
  topic: string,
  { partition, low, high }: { partition: number; low: string; high: string },
  offset: bigint | undefined,
): PartitionLag {
  const committed = offset === undefined || offset < 0n ? null : offset;
  const start = BigInt(low);
  const end = BigInt(high);
  const from = committed === null || committed < start ? start : committed;
  return { topic, partition, committed, start, end, lag: end > from ? end - from : 0n };
}

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
