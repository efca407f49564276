import { OmsError } from '../../domain/errors.ts';
import { someCause } from './causes.ts';

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
