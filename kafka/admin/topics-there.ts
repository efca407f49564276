import type { Admin, PartitionMetadata } from 'kafkajs';
import { OmsError } from '../../domain/errors.ts';
import { createKafka } from '../client/client.ts';
import type { KafkaConnection } from '../client/client.ts';
import { isTopicMissing, isTopicRefused, notAuthorized } from '../client/errors.ts';
import type { TopicOperation } from '../client/errors.ts';

/**
 * Which of these topics exist. Kafka's list leaves out what the login may not describe, as if it were not there: so each
 * that is not listed is asked for by name. `admin` must be connected.
 * @param purpose what is to be done with them: its ACL is named where it is lacking
 * @throws OmsError OMS_KAFKA_NOT_AUTHORIZED naming the topic and the ACL
 */
export async function topicsThere(
  admin: Admin,
  wanted: readonly string[],
  purpose: TopicOperation = 'Describe',
): Promise<Set<string>> {
  const listed = new Set(await admin.listTopics());
  const unlisted = wanted.filter((topic) => !listed.has(topic));
  const late = await Promise.all(unlisted.map((topic) => isThere(admin, topic, purpose)));
  return new Set([...wanted.filter((topic) => listed.has(topic)), ...unlisted.filter((_, i) => late[i])]);
}

async function isThere(admin: Admin, topic: string, purpose: TopicOperation): Promise<boolean> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return topics.some(({ name }) => name === topic);
  } catch (error) {
    if (isTopicMissing(error)) return false;
    if (isTopicRefused(error)) throw notAuthorized(purpose, topic, error);
    throw error;
  }
}

/**
 * A publisher waits for a cluster that is away; who cannot wait asks first. What the client throws is thrown as it is.
 * @throws OmsError OMS_KAFKA_TOPIC_MISSING, OMS_KAFKA_NOT_AUTHORIZED
 */
export async function requireTopics(
  connection: KafkaConnection,
  topics: readonly string[],
  purpose?: TopicOperation,
): Promise<void> {
  const admin = createKafka(connection).admin();
  try {
    await admin.connect();
    const there = await topicsThere(admin, topics, purpose);
    const missing = topics.find((topic) => !there.has(topic));
    if (missing === undefined) return;
    throw new OmsError('OMS_KAFKA_TOPIC_MISSING', `there is no topic ${missing}: run \`./oms setup\``);
  } finally {
    await admin.disconnect();
  }
}

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
