import type { Admin } from 'kafkajs';

const QUIET_FETCHES = 3;

/**
 * Tells partitions from which nothing comes though they are asked. kafkajs says how long a fetch took and which broker
 * answered it, but not that a partition had nothing in it.
 */
export interface QuietPartitions {
  /** A broker had nothing new, of any of the partitions it leads. */
  nothingFrom(nodeId: number, partitions: Iterable<number>): void;
  heardOf(partition: number): void;
  forgetAll(): void;
  /** Fetches in a row have brought nothing of it. */
  isQuiet(partition: number): boolean;
  /** As no one knows who leads what before the first time. */
  knowsLeaders(): boolean;
  learnLeaders(admin: Admin, topic: string): Promise<void>;
}

export function createQuietPartitions(): QuietPartitions {
  let leaders = new Map<number, number>();
  const fetches = new Map<number, number>();
  return {
    nothingFrom: (nodeId, partitions) => {
      for (const partition of partitions) {
        if (leaders.get(partition) === nodeId) fetches.set(partition, (fetches.get(partition) ?? 0) + 1);
      }
    },
    heardOf: (partition) => void fetches.delete(partition),
    forgetAll: () => fetches.clear(),
    isQuiet: (partition) => (fetches.get(partition) ?? 0) >= QUIET_FETCHES,
    knowsLeaders: () => leaders.size > 0,
    learnLeaders: async (admin, topic) => {
      leaders = await leadersOf(admin, topic);
    },
  };
}

async function leadersOf(admin: Admin, topic: string): Promise<Map<number, number>> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  return new Map(
    topics.flatMap(({ partitions }) => partitions.map(({ partitionId, leader }) => [partitionId, leader])),
  );
}
