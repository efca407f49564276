import { OmsError } from '../../domain/errors.ts';

/** Whether a broker does not know the topic that it was asked about. */
export function isTopicMissing(error: unknown): boolean {
  return (error as { type?: string } | undefined)?.type === 'UNKNOWN_TOPIC_OR_PARTITION';
}

export function topicMissing(topic: string, cause?: unknown): OmsError {
  return new OmsError('OMS_KAFKA_TOPIC_MISSING', `topic ${topic} does not exist: run \`oms setup\``, { cause });
}
