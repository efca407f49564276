import type { Admin } from 'kafkajs';

const QUIET_FETCHES = 3;

/** How long a broker keeps a fetch that it has nothing for, ms. */
export const MAX_WAIT_MS = 200;
/** A fetch that was answered sooner brought something, or failed. */
const QUIET_MS = 0.7 * MAX_WAIT_MS;
/** An answer that says something of a partition is longer: to a client that reads too fast a broker says nothing at all. */
const NOTHING_SAID_BYTES = 40;

/**
 * Tells partitions from which nothing comes though they are asked. kafkajs says how long a broker took to answer, and how
 * much it said, but not that a partition had nothing in it.
 */
export interface QuietPartitions {
  /** A broker has answered a fetch; perhaps it had nothing new, of any of the partitions it leads. */
  answered(fetch: { broker: string; duration: number; size: number }, partitions: Iterable<number>): void;
  heardOf(partition: number): void;
  forgetAll(): void;
  /** Fetches in a row have brought nothing of it. */
  isQuiet(partition: number): boolean;
  /** As no one knows who leads what before the first time. */
  knowsLeaders(): boolean;
  /** Partitions that another broker leads now are heard of anew. */
  learnLeaders(admin: Admin, topic: string): Promise<void>;
}

export function createQuietPartitions(): QuietPartitions {
  let leaders = new Map<number, string>();
  const fetches = new Map<number, number>();
  return {
    answered: ({ broker, duration, size }, partitions) => {
      if (duration < QUIET_MS || size < NOTHING_SAID_BYTES) return;
      for (const partition of partitions) {
        if (leaders.get(partition) === broker) fetches.set(partition, (fetches.get(partition) ?? 0) + 1);
      }
    },
    heardOf: (partition) => void fetches.delete(partition),
    forgetAll: () => fetches.clear(),
    isQuiet: (partition) => (fetches.get(partition) ?? 0) >= QUIET_FETCHES,
    knowsLeaders: () => leaders.size > 0,
    learnLeaders: async (admin, topic) => {
      const now = await leadersOf(admin, topic);
      for (const [partition, leader] of now) if (leaders.get(partition) !== leader) fetches.delete(partition);
      leaders = now;
    },
  };
}

/** By host and port, as kafkajs names them. */
async function leadersOf(admin: Admin, topic: string): Promise<Map<number, string>> {
  const { brokers } = await admin.describeCluster();
  const nameOf = new Map(brokers.map(({ nodeId, host, port }) => [nodeId, `${host}:${port}`]));
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  return new Map(
    topics.flatMap(({ partitions }) =>
      partitions.map(({ partitionId, leader }) => [partitionId, nameOf.get(leader) ?? '']),
    ),
  );
}
