import type { Admin } from 'kafkajs';
import { isTopicMissing, isTopicRefused, notAuthorized, someCause, topicMissing } from '../client/errors.ts';

/** Where the log of a partition begins, and one past its last offset. */
export type LogEnds = Pick<Awaited<ReturnType<Admin['fetchTopicOffsets']>>[number], 'partition' | 'low' | 'high'>;

/**
 * Where each partition's log begins and ends, asked of its leader; a leader that is just being changed is waited for.
 * `admin` must be connected.
 * @throws OmsError OMS_KAFKA_TOPIC_MISSING, OMS_KAFKA_NOT_AUTHORIZED; what kafkajs refuses for good
 */
export function logEnds(admin: Admin, topic: string): Promise<LogEnds[]> {
  return ofTopic(topic, () => admin.fetchTopicOffsets(topic));
}

/** The first offset of each partition whose record is not older than `since` (epoch ms); its end where none is. Throws as above. */
export function offsetsSince(
  admin: Admin,
  topic: string,
  since: number,
): Promise<{ partition: number; offset: string }[]> {
  return ofTopic(topic, () => admin.fetchTopicOffsetsByTimestamp(topic, since));
}

async function ofTopic<T>(topic: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (someCause(error, isTopicMissing)) throw topicMissing(topic, error);
    throw isTopicRefused(error) ? notAuthorized('Describe', topic, error) : error;
  }
}
