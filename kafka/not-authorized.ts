import { OmsError } from '../domain/errors.ts';

const NOT_AUTHORIZED = new Set([
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
]);

/** Whether Kafka refuses the login a right; kafkajs wraps it when it has asked often enough. */
export function isNotAuthorized(error: unknown): boolean {
  const { type = '', cause } = (error ?? {}) as { type?: string; cause?: unknown };
  return NOT_AUTHORIZED.has(type) || (cause instanceof Error && isNotAuthorized(cause));
}

/** Whoever may read or write a topic may describe it, too. */
export type TopicOperation = 'Describe' | 'Read' | 'Write';

/** What a login lacks on a topic, with the ACL that gives it. */
export function notAuthorized(operation: TopicOperation, topic: string, cause: unknown): OmsError {
  const acl = `\`--operation ${operation} --topic '${topic}'\``;
  const rule = `needs the ACL ${acl}: \`./oms setup --print-acls\` prints what each login needs`;
  const message = `may not ${operation.toLowerCase()} topic ${topic}: the login ${rule}`;
  return new OmsError('OMS_KAFKA_NOT_AUTHORIZED', message, { cause });
}
