import type { Admin } from 'kafkajs';
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
