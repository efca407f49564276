import kafkajs from 'kafkajs';
import { OmsError } from '../../domain/errors.ts';

const TOPIC = new Set(['TOPIC_AUTHORIZATION_FAILED']);
const ANY = new Set([...TOPIC, 'GROUP_AUTHORIZATION_FAILED', 'CLUSTER_AUTHORIZATION_FAILED']);

/** Whether Kafka refuses the login a right. */
export const isNotAuthorized = (error: unknown): boolean => isOf(ANY, error);

/** Whether it refuses one on a topic. */
export const isTopicRefused = (error: unknown): boolean => isOf(TOPIC, error);

const isOf = (types: ReadonlySet<string>, error: unknown): boolean =>
  someCause(error, (one) => types.has((one as { type?: string } | undefined)?.type ?? ''));

/** Whoever may read or write a topic may describe it, too. */
export type TopicOperation = 'Describe' | 'DescribeConfigs' | 'Read' | 'Write';

/** What a login lacks on a topic, with the ACL that gives it. */
export function notAuthorized(operation: TopicOperation, topic: string, cause: unknown): OmsError {
  const acl = `\`--operation ${operation} --topic '${topic}'\``;
  const rule = `needs the ACL ${acl}: \`./oms setup --print-acls\` prints what each login needs`;
  const what = operation === 'DescribeConfigs' ? 'see the settings of' : operation.toLowerCase();
  const message = `may not ${what} topic ${topic}: the login ${rule}`;
  return new OmsError('OMS_KAFKA_NOT_AUTHORIZED', message, { cause });
}

/** Whether an error, or what it was caused by, is one of these: kafkajs wraps an error when it has asked often enough. */
export function someCause(error: unknown, isOne: (error: unknown) => boolean): boolean {
  if (isOne(error)) return true;
  const { cause } = (error ?? {}) as { cause?: unknown };
  return cause instanceof Error && someCause(cause, isOne);
}

/** Whether a broker does not know the topic that it was asked about. */
export function isTopicMissing(error: unknown): boolean {
  return (error as { type?: string } | undefined)?.type === 'UNKNOWN_TOPIC_OR_PARTITION';
}

export function topicMissing(topic: string, cause?: unknown): OmsError {
  return new OmsError('OMS_KAFKA_TOPIC_MISSING', `topic ${topic} does not exist: run \`oms setup\``, { cause });
}

/** What a client of the cluster failed with, as what it means to us; an error of ours stays as it is. */
export function kafkaUnavailable(what: string, cause: unknown): OmsError {
  if (cause instanceof OmsError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new OmsError('OMS_KAFKA_UNAVAILABLE', `${what}: ${reason}`, { cause });
}

/** Answers after which a consumer must join its group again; kafkajs does so when a batch handler throws them. */
const REJOIN = new Set([
  'REBALANCE_IN_PROGRESS',
  'NOT_COORDINATOR_FOR_GROUP',
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
]);

/** Faults of kafkajs or of its set-up that a new consumer would only meet again. */
const LASTING = new Set([
  'KafkaJSNotImplemented',
  'KafkaJSSASLAuthenticationError',
  'KafkaJSUnsupportedMagicByteInMessageSet',
  'KafkaJSServerDoesNotSupportApiKey',
]);

interface KafkaJsError {
  name?: string;
  type?: string;
  retriable?: boolean;
  cause?: unknown;
}

/**
 * Whether a consumer that kafkajs gave up may be replaced by a new one: what it lost is the cluster, not its rights.
 * kafkajs also gives up with TypeErrors of its own when brokers come and go.
 */
export function isPassing(error: unknown): boolean {
  for (let one = error as KafkaJsError | undefined; one; one = one.cause as KafkaJsError | undefined) {
    if (LASTING.has(one.name ?? '')) return false;
    const isRefusal = one.name === 'KafkaJSProtocolError' && one.retriable === false;
    if (isRefusal && one.type !== 'UNKNOWN' && !meansRejoin(one)) return false;
  }
  return true;
}

/** The group has moved on without this member, or is about to. */
export function meansRejoin(error: unknown): boolean {
  return REJOIN.has((error as { type?: string } | undefined)?.type ?? '');
}

/** What a request fails with that the coordinator has given no answer to. */
const UNANSWERED = new Set([
  'KafkaJSBrokerNotFound',
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
]);

/** The broker that was asked is out of reach, for now or for good. */
export function isUnanswered(error: unknown): boolean {
  return UNANSWERED.has((error as { name?: string } | undefined)?.name ?? '');
}

/**
 * Thrown by a batch handler it makes kafkajs look for the group's coordinator and join again, under the same name. By
 * itself it keeps to the broker at which it joined, even if that one never comes back.
 */
export function coordinatorLost(cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const answer = { message: `the group's coordinator is out of reach: ${reason}`, type: 'NOT_COORDINATOR_FOR_GROUP' };
  return new kafkajs.KafkaJSProtocolError(Object.assign(new Error(answer.message, { cause }), answer));
}
