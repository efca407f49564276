import { randomUUID } from 'node:crypto';
import type { Admin, Kafka } from 'kafkajs';
import type { KafkaConnection } from '../../kafka/client.ts';
import { createPublisher } from '../../kafka/publisher.ts';
import { groupName } from '../../kafka/topics.ts';
import { readTopics } from '../topics/read-topics.ts';
import type { TopicRecord } from '../topics/read-topics.ts';
import { deploymentTopic } from './topics.ts';

const KEY = 'deployment';

/** The deployment id on its topic; undefined when the topic is missing or empty. */
export async function readTopicMark(kafka: Kafka, admin: Admin, prefix: string): Promise<string | undefined> {
  const topic = deploymentTopic(prefix);
  if (!(await admin.listTopics()).includes(topic)) return undefined;
  let id: string | undefined;
  const onRecords = async (records: readonly TopicRecord[]): Promise<boolean> => {
    for (const { key, value } of records) if (key?.toString() === KEY && value) id = idIn(value) ?? id;
    return true;
  };
  const groupId = groupName(prefix, `deployment-${randomUUID()}`);
  await readTopics({ kafka, admin, topics: [topic], groupId, fromBeginning: true, follow: false, onRecords });
  return id;
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
