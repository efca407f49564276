import { randomUUID } from 'node:crypto';
import type { Admin, Kafka } from 'kafkajs';
import { groupName } from '../../kafka/topics.ts';
import { createPublisher } from '../../kafka/publisher.ts';
import type { KafkaConnection } from '../../kafka/client.ts';
import { deploymentTopic } from './topics.ts';

const KEY = 'deployment';

/** The deployment id on its topic; undefined when the topic is missing or empty. */
export async function readTopicMark(kafka: Kafka, admin: Admin, prefix: string): Promise<string | undefined> {
  const topic = deploymentTopic(prefix);
  if (!(await admin.listTopics()).includes(topic)) return undefined;
  const end = BigInt((await admin.fetchTopicOffsets(topic))[0]?.high ?? '0');
  return end === 0n
    ? undefined
    : lastMark(kafka, admin, { topic, end, groupId: groupName(prefix, `deployment-${randomUUID()}`) });
}

interface MarkReading {
  topic: string;
  /** One past the last record's offset. */
  end: bigint;
  /** Used once and deleted. */
  groupId: string;
}

async function lastMark(kafka: Kafka, admin: Admin, reading: MarkReading): Promise<string | undefined> {
  const consumer = kafka.consumer({ groupId: reading.groupId, maxWaitTimeInMs: 200 });
  const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
  consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
  try {
    await consumer.connect();
    await consumer.subscribe({ topic: reading.topic, fromBeginning: true });
    let id: string | undefined;
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ message }) => {
        if (message.key?.toString() === KEY && message.value) id = idIn(message.value) ?? id;
        if (BigInt(message.offset) + 1n >= reading.end) resolve(id);
      },
    });
    return await promise;
  } finally {
    await consumer.disconnect();
    await admin.deleteGroups([reading.groupId]).catch(() => undefined);
  }
}

function idIn(value: Buffer): string | undefined {
  try {
    return (JSON.parse(value.toString()) as { id?: string }).id;
  } catch {
    return undefined;
  }
}

/** Writes the id; the topic is compacted, so the newest one stays. */
export async function writeTopicMark(connection: KafkaConnection, prefix: string, id: string): Promise<void> {
  const publisher = createPublisher({ connection });
  await publisher.connect();
  try {
    const value = Buffer.from(JSON.stringify({ id }));
    const { held } = await publisher.publish([{ topic: deploymentTopic(prefix), key: KEY, value }]);
    if (held[0]) throw held[0].error;
  } finally {
    await publisher.close();
  }
}
