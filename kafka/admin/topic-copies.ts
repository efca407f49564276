import type { Admin, PartitionMetadata } from 'kafkajs';

/** What is wrong with how often a topic's records are kept. */
export interface CopiesFault {
  detail: string;
  fix: string;
}

/** Copies of each record that a cluster should keep. @param replication OMS_TOPIC_REPLICATION; 0: three, or one a broker */
export async function wantedCopies(admin: Admin, replication: number): Promise<number> {
  return replication || Math.min(3, (await admin.describeCluster()).brokers.length);
}

/** With three copies a write is acknowledged by two: one broker may be lost. */
export function minInsync(copies: number): Readonly<Record<string, string>> {
  return copies >= 3 ? { 'min.insync.replicas': '2' } : {};
}

/**
 * Fewer copies than there should be: the topic was made while a broker was away, or before the cluster grew. Neither is mended
 * by set-up, for both move data or availability.
 */
export function copiesFaults(
  topic: string,
  partitions: readonly Pick<PartitionMetadata, 'partitionId' | 'replicas'>[],
  actual: Readonly<Record<string, string>>,
  copies: number,
): CopiesFault[] {
  const fewer = partitions.filter(({ replicas }) => replicas.length < copies);
  const least = Math.min(...fewer.map(({ replicas }) => replicas.length));
  const few = {
    detail: `partitions ${fewer.map(({ partitionId }) => partitionId).join(', ')} have ${least} of ${copies} copies: a lost broker may take records with it`,
    fix: `kafka-reassign-partitions with ${copies} replicas for each partition of '${topic}'; or set OMS_TOPIC_REPLICATION=${least}, if this is meant`,
  };
  const wanted = Number(minInsync(copies)['min.insync.replicas'] ?? 1);
  const found = Number(actual['min.insync.replicas'] ?? 1);
  const unsafe = {
    detail: `min.insync.replicas is ${found} instead of ${wanted}: a record counts that one broker has, and may be lost with it`,
    fix: `kafka-configs --bootstrap-server "$KAFKA_BROKERS" --alter --topic '${topic}' --add-config min.insync.replicas=${wanted}`,
  };
  return [...(fewer.length > 0 ? [few] : []), ...(fewer.length === 0 && found < wanted ? [unsafe] : [])];
}
