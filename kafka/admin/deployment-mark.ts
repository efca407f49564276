import { randomUUID } from 'node:crypto';
import type { Admin, IHeaders, Kafka } from 'kafkajs';
import type { KafkaConnection } from '../client/client.ts';
import { isTopicRefused, notAuthorized } from '../client/errors.ts';
import { DEPLOYMENT_HEADER, headerText } from '../headers.ts';
import { createPublisher } from '../producer/publisher.ts';
import { readTopics } from '../reader/read-topics.ts';
import { deploymentTopic, groupName } from '../topics.ts';
import { topicsThere } from './topics-there.ts';

const KEY = 'deployment';

/** Whose our topics are. */
export interface TopicMark {
  /** The deployment's id. */
  id: string;
  /** Ids that the topics had before: what was published under them is the deployment's own history. */
  earlier: readonly string[];
}

/**
 * The mark on its topic; undefined when the topic is missing or empty.
 * @throws OmsError OMS_KAFKA_NOT_AUTHORIZED
 */
export async function readTopicMark(kafka: Kafka, admin: Admin, prefix: string): Promise<TopicMark | undefined> {
  const topic = deploymentTopic(prefix);
  if (!(await topicsThere(admin, [topic], 'Read')).has(topic)) return undefined;
  let mark: TopicMark | undefined;
  const groupId = groupName(prefix, `deployment-${randomUUID()}`);
  await readTopics({
    ...{ kafka, admin, topics: [topic], groupId, fromBeginning: true, follow: false },
    onRecords: async (records) => {
      for (const { key, value } of records) if (key?.toString() === KEY && value) mark = markIn(value) ?? mark;
      return true;
    },
  }).catch((error: unknown) => {
    throw isTopicRefused(error) ? notAuthorized('Read', topic, error) : error;
  });
  return mark;
}

/** Earlier versions wrote the id alone. */
function markIn(value: Buffer): TopicMark | undefined {
  try {
    const { id, earlier = [] } = JSON.parse(value.toString()) as Partial<TopicMark>;
    return id === undefined ? undefined : { id, earlier };
  } catch {
    return undefined;
  }
}

/** Writes the mark; the topic is compacted, so the newest one stays. */
export async function writeTopicMark(connection: KafkaConnection, prefix: string, mark: TopicMark): Promise<void> {
  const publisher = createPublisher({ connection });
  try {
    const value = Buffer.from(JSON.stringify(mark));
    const { held } = await publisher.publish([{ topic: deploymentTopic(prefix), key: KEY, value }]);
    if (held[0]) throw held[0].error;
  } finally {
    await publisher.close();
  }
}

/** Of a record that is foreign, whose it is, in words. */
export function publishedBy({ headers }: { headers: IHeaders }, name: string): string {
  return `was published by deployment ${headerText(headers, name)}, not by ours`;
}

/** Whether a record was published by another deployment than that of these topics. */
export type IsForeign = (headers: IHeaders | undefined, name?: string) => boolean;

/**
 * Tells records of other deployments by the id they carry in the header `name`. One without an id is ours, since earlier
 * versions gave none; and where the topics have no mark, all are.
 */
export function foreignTo(mark: TopicMark | undefined): IsForeign {
  if (!mark) return () => false;
  const own = new Set([mark.id, ...mark.earlier]);
  return (headers, name = DEPLOYMENT_HEADER) => {
    const id = headerText(headers, name);
    return id !== undefined && !own.has(id);
  };
}
