import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin } from 'kafkajs';
import { OmsError } from '../domain/errors.ts';
import { isTopicRefused, notAuthorized } from './not-authorized.ts';

/** Where the log of a partition begins, and one past its last offset. */
export type LogEnds = Pick<Awaited<ReturnType<Admin['fetchTopicOffsets']>>[number], 'partition' | 'low' | 'high'>;

/** A leader that has just moved is known to all brokers within about a second, a lost one is replaced within ten. */
const LEADER_WITHIN_MS = 30_000;
const PAUSE_MS = 200;

/**
 * Errors of a moment, which kafkajs' admin reports at once: the partition has just got this leader or another one, or the
 * broker that led it has gone.
 */
const OF_A_MOMENT = new Set([
  'NOT_LEADER_FOR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'REPLICA_NOT_AVAILABLE',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'OFFSET_NOT_AVAILABLE',
  'KafkaJSBrokerNotFound',
  'KafkaJSConnectionError',
]);

/**
 * Where each partition's log begins and ends, asked of its leader; a leader that is just being changed is waited for.
 * `admin` must be connected.
 * @throws OmsError OMS_KAFKA_TOPIC_MISSING, OMS_KAFKA_NOT_AUTHORIZED; what kafkajs refuses for good
 */
export function logEnds(admin: Admin, topic: string): Promise<LogEnds[]> {
  return ofLeaders(admin, topic, () => admin.fetchTopicOffsets(topic));
}

/** The first offset of each partition whose record is not older than `since` (epoch ms); its end where none is. Throws as above. */
export function offsetsSince(
  admin: Admin,
  topic: string,
  since: number,
): Promise<{ partition: number; offset: string }[]> {
  return ofLeaders(admin, topic, () => admin.fetchTopicOffsetsByTimestamp(topic, since));
}

async function ofLeaders<T>(admin: Admin, topic: string, ask: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + LEADER_WITHIN_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (isTopicMissing(error)) throw missing(topic, error);
      if (isTopicRefused(error)) throw notAuthorized('Describe', topic, error);
      if (!isOfAMoment(error) || performance.now() > deadline) throw error;
    }
    await sleep(PAUSE_MS);
    await forgetLeaders(admin);
  }
}

function isOfAMoment(error: unknown): boolean {
  const { type = '', name = '' } = error as { type?: string; name?: string };
  return OF_A_MOMENT.has(type) || OF_A_MOMENT.has(name);
}

/** kafkajs wraps it when it has asked often enough. */
function isTopicMissing(error: unknown): boolean {
  const { type, cause } = error as { type?: string; cause?: unknown };
  return type === 'UNKNOWN_TOPIC_OR_PARTITION' || (cause instanceof Error && isTopicMissing(cause));
}

function missing(topic: string, cause: unknown): OmsError {
  return new OmsError('OMS_KAFKA_TOPIC_MISSING', `topic ${topic} does not exist: run \`oms setup\``, { cause });
}

/**
 * An admin client of kafkajs keeps asking who led a partition up to five minutes ago, and has no call of its own to look
 * again. Creating topics makes it look; creating none changes nothing, and no login is too small for it.
 */
async function forgetLeaders(admin: Admin): Promise<void> {
  await admin.createTopics({ topics: [] }).catch(() => undefined);
}
