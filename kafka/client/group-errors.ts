import kafkajs from 'kafkajs';

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
