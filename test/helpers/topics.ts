import type { Admin, ITopicConfig } from 'kafkajs';
import { logEnds } from '../../kafka/admin/log-ends.ts';
import { waitFor } from './wait.ts';

/**
 * Creates a topic and waits until the brokers know all of it. Not by kafkajs' own waiting: that takes a broker's "unknown",
 * given for a moment after the creation, for an error.
 */
export async function createTopic(admin: Admin, wanted: ITopicConfig & { numPartitions: number }): Promise<void> {
  await admin.createTopics({ waitForLeaders: false, topics: [wanted] });
  await waitFor(`topic ${wanted.topic}`, () =>
    logEnds(admin, wanted.topic).then(
      (partitions) => partitions.length === wanted.numPartitions,
      () => false,
    ),
  );
}
