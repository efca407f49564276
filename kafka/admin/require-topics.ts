import { OmsError } from '../../domain/errors.ts';
import { createKafka } from '../client/client.ts';
import type { KafkaConnection } from '../client/client.ts';
import type { TopicOperation } from '../client/not-authorized.ts';
import { topicsThere } from './topics-there.ts';

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
