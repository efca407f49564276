import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer, EachBatchHandler } from 'kafkajs';
import { OmsError } from '../domain/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { retryOptions } from './client.ts';
import type { createKafka } from './client.ts';
import type { ConsumerLoopOptions } from './consumer-types.ts';

export function makeConsumer(options: ConsumerLoopOptions, kafka: ReturnType<typeof createKafka>): Consumer {
  return kafka.consumer({
    groupId: options.groupId,
    allowAutoTopicCreation: false,
    sessionTimeout: options.sessionTimeoutMs ?? 30_000,
    rebalanceTimeout: options.rebalanceTimeoutMs ?? 60_000,
    heartbeatInterval: options.heartbeatMs ?? 3_000,
    maxBytesPerPartition: options.maxBytesPerPartition ?? 512 * 1_024,
    maxWaitTimeInMs: 500,
    // kafkajs counts failed fetches over the consumer's whole life and crashes at the limit; a crash that would start
    // the consumer again behind our back is refused: the process ends, and its supervisor starts a clean one.
    retry: { ...retryOptions(), restartOnFailure: () => Promise.resolve(false) },
  });
}

export async function join(
  consumer: Consumer,
  options: ConsumerLoopOptions,
  eachBatch: EachBatchHandler,
): Promise<void> {
  await consumer.subscribe({ topics: [...options.topics], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    partitionsConsumedConcurrently: options.concurrentPartitions ?? 1,
    eachBatch,
  });
}

export function startError(topics: readonly string[], cause: unknown): unknown {
  if ((cause as { type?: string }).type !== 'UNKNOWN_TOPIC_OR_PARTITION') return cause;
  const names = topics.join(', ');
  return new OmsError('OMS_KAFKA_TOPIC_MISSING', `not all of these topics exist: ${names}; run \`oms setup\``, {
    cause,
  });
}

/** Leaves within the time given, or says that it did not. */
export async function stopConsumer(consumer: Consumer, graceMs: number, logger: Logger): Promise<void> {
  if (!(await within(graceMs, leave(consumer, logger)))) logger.warn({ graceMs }, 'consumer did not drain in time');
}

/** Ends fetching, waits for the handlers in flight, leaves the group. */
async function leave(consumer: Consumer, logger: Logger): Promise<void> {
  await consumer.disconnect().catch((error: unknown) => logger.warn({ err: error }, 'consumer left uncleanly'));
}

/** Whether the work ended in time. */
async function within(ms: number, work: Promise<void>): Promise<boolean> {
  const over = new AbortController();
  const late = sleep(ms, false, { signal: over.signal }).catch(() => false);
  const inTime = await Promise.race([work.then(() => true), late]);
  over.abort();
  return inTime;
}
