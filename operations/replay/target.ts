import kafkajs from 'kafkajs';
import { OmsError, faultError } from '../../domain/errors.ts';
import { logEnds } from '../../kafka/admin/log-ends.ts';
import { minInsync, topicsThere, wantedCopies } from '../../kafka/admin/topics-there.ts';
import { KAFKA_DEFAULT_BATCH_BYTES, TOPICS, maxMessageBytes, topicNames } from '../../kafka/topics.ts';
import type { ReplayParts } from './parts.ts';

/** A replay's own topic, for events told again to somebody who asks for them. */
export function ownTopic(prefix: string, replayId: string): string {
  return `${prefix}oms-replay-${replayId}`;
}

const isOwn = (prefix: string, topic: string): boolean => topic.startsWith(ownTopic(prefix, ''));

/**
 * Live topics are told to only by the option that says so.
 * @throws OmsError OMS_REPLAY_INVALID
 */
export function assertNotLive(prefix: string, topic: string): void {
  if (!Object.values(topicNames(prefix)).includes(topic)) return;
  const rule =
    'must not be one of the live topics: their readers would take the events for news; --live tells them again';
  throw faultError('OMS_REPLAY_INVALID', { field: 'to', value: topic, rule });
}

const OWN_TOPIC_DAYS = 7;
const PARTITIONS_READY_TRIES = 100;

/**
 * Makes the replay's own topic if it is not there; a topic given by name must be. Returns the largest batch it takes, bytes.
 * @throws OmsError OMS_KAFKA_TOPIC_MISSING, OMS_KAFKA_NOT_AUTHORIZED
 */
export async function ensureTarget({ admin, config }: ReplayParts, topic: string): Promise<number> {
  if (!(await isTargetThere({ admin, config }, topic))) await createOwn({ admin, config }, topic);
  return batchLimitOf(admin, topic);
}

/**
 * False for a topic of a replay's own that is still to be made.
 * @throws OmsError OMS_KAFKA_TOPIC_MISSING, OMS_KAFKA_NOT_AUTHORIZED
 */
export async function isTargetThere(
  { admin, config }: Pick<ReplayParts, 'admin' | 'config'>,
  topic: string,
): Promise<boolean> {
  const exists = (await topicsThere(admin, [topic], 'Write')).has(topic);
  if (exists || isOwn(config.OMS_PREFIX, topic)) return exists;
  throw new OmsError('OMS_KAFKA_TOPIC_MISSING', `topic ${topic} does not exist; a replay makes none but its own`);
}

async function createOwn({ admin, config }: Pick<ReplayParts, 'admin' | 'config'>, topic: string): Promise<void> {
  const bytes = Math.max(...TOPICS.map(maxMessageBytes));
  const replicationFactor = await wantedCopies(admin, config.OMS_TOPIC_REPLICATION);
  const configEntries = [
    { name: 'max.message.bytes', value: String(bytes) },
    { name: 'retention.ms', value: String(OWN_TOPIC_DAYS * 24 * 60 * 60 * 1_000) },
    ...Object.entries(minInsync(replicationFactor)).map(([name, value]) => ({ name, value })),
  ];
  const wanted = { topic, numPartitions: config.OMS_TOPIC_PARTITIONS, replicationFactor, configEntries };
  // Brokers learn of a new topic a moment later; kafkajs' own waiting takes their "unknown" for an error.
  await admin.createTopics({ waitForLeaders: false, topics: [wanted] });
  for (let n = 0; n < PARTITIONS_READY_TRIES; n++) {
    const found = await logEnds(admin, topic).catch(() => []);
    if (found.length === config.OMS_TOPIC_PARTITIONS) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function batchLimitOf(admin: ReplayParts['admin'], topic: string): Promise<number> {
  const resource = { type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configNames: ['max.message.bytes'] };
  const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [resource] });
  return Number(resources[0]?.configEntries[0]?.configValue ?? KAFKA_DEFAULT_BATCH_BYTES);
}
