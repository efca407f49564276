import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { logEnds, offsetsSince } from '../../kafka/admin/log-ends.ts';
import { createKafka } from '../../kafka/client/client.ts';
import { createKafkaWorld } from '../helpers/kafka-world.ts';
import type { KafkaWorld } from '../helpers/kafka-world.ts';
import { waitFor } from '../helpers/wait.ts';

const PARTITIONS = 24;

let world: KafkaWorld;
const made: string[] = [];
beforeAll(async () => {
  world = await createKafkaWorld();
});
afterAll(async () => {
  await world.admin.deleteTopics({ topics: made });
  await world.close();
});

/** A topic at the moment its leaders are named, which is before they know of it themselves. */
async function newTopic(): Promise<string> {
  const topic = `ends-${randomUUID()}`;
  await world.admin.createTopics({ waitForLeaders: false, topics: [{ topic, numPartitions: PARTITIONS }] });
  made.push(topic);
  await waitFor('all leaders to be named', async () => {
    const { topics } = await world.admin.fetchTopicMetadata({ topics: [topic] }).catch(() => ({ topics: [] }));
    const partitions = topics[0]?.partitions ?? [];
    return partitions.length === PARTITIONS && partitions.every(({ leader }) => leader >= 0);
  });
  return topic;
}

describe('the ends of the logs', () => {
  it('are told of a topic whose leaders have only just been named, where kafkajs fails', async () => {
    for (let round = 0; round < 5; round += 1) {
      const ends = await logEnds(world.admin, await newTopic());
      expect(ends).toHaveLength(PARTITIONS);
      expect(ends.every(({ low, high }) => low === '0' && high === '0')).toBe(true);
    }
  });

  it('are told by time, too', async () => {
    const offsets = await offsetsSince(world.admin, await newTopic(), 0);
    expect(offsets.map(({ offset }) => offset)).toEqual(Array.from({ length: PARTITIONS }, () => '0'));
  });

  it('are no more than an error where there is no such topic', async () => {
    const admin = createKafka({ ...world.connection(), retries: 1 }).admin();
    await admin.connect();
    const asked = logEnds(admin, `none-${randomUUID()}`).finally(() => admin.disconnect());
    await expect(asked).rejects.toMatchObject({ code: 'OMS_KAFKA_TOPIC_MISSING' });
  });
});
