import { OmsError } from '../domain/errors.ts';
import { createKafka } from './client.ts';
import type { KafkaConnection } from './client.ts';

/**
 * A publisher waits for a cluster that is away; who cannot wait asks first. What the client throws is thrown as it is.
 * @throws OmsError OMS_KAFKA_TOPIC_MISSING
 */
export async function requireTopics(connection: KafkaConnection, topics: readonly string[]): Promise<void> {
  const admin = createKafka(connection).admin();
  try {
    await admin.connect();
    const there = new Set(await admin.listTopics());
    const missing = topics.find((topic) => !there.has(topic));
    if (missing === undefined) return;
    throw new OmsError('OMS_KAFKA_TOPIC_MISSING', `there is no topic ${missing}: run \`./oms setup\``);
  } finally {
    await admin.disconnect();
  }
}
