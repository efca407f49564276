import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Admin } from 'kafkajs';
import { logEnds } from '../../kafka/admin/log-ends.ts';
import { createKafka } from '../../kafka/client/client.ts';
import { createPublisher } from '../../kafka/producer/publisher.ts';
import { readTopics } from '../../kafka/reader/read-topics.ts';
import { createKafkaWorld } from '../helpers/kafka-world.ts';
import type { KafkaWorld } from '../helpers/kafka-world.ts';
import { waitFor } from '../helpers/wait.ts';

let world: KafkaWorld;
beforeAll(async () => {
  world = await createKafkaWorld();
});
afterAll(() => world.close());

/** Leaves a mark behind the values that no reader is given. */
async function transact(topic: string, values: readonly string[], end: 'commit' | 'abort'): Promise<void> {
  const settings = { transactionalId: world.group(), maxInFlightRequests: 1, idempotent: true };
  const producer = createKafka(world.connection()).producer({ allowAutoTopicCreation: false, ...settings });
  await producer.connect();
  const transaction = await producer.transaction();
  await transaction.send({ topic, messages: values.map((value) => ({ partition: 0, value })) });
  await transaction[end]();
  await producer.disconnect();
  // A broker says that a transaction has ended before the mark is in its topic.
  await waitFor('the mark to be there', async () => {
    const [partition] = await logEnds(world.admin, topic);
    return Number(partition?.high) === values.length + 1;
  });
}

async function readToEnd(topics: readonly string[]): Promise<string[]> {
  const values: string[] = [];
  await readTopics({
    ...{ kafka: createKafka(world.connection()), admin: world.admin, topics, groupId: world.group() },
    ...{ fromBeginning: true, follow: false },
    onRecords: (records) => {
      values.push(...records.map(({ value }) => value?.toString() ?? ''));
      return Promise.resolve(true);
    },
  });
  return values.sort();
}

describe('reading topics to their end', () => {
  it('ends behind marks of transactions, of ones that were given up, too', async () => {
    const [committed, aborted] = [await world.topic(), await world.topic()];
    await transact(committed, ['a', 'b'], 'commit');
    await transact(aborted, ['c'], 'abort');
    expect(await readToEnd([committed])).toEqual(['a', 'b']);
    expect(await readToEnd([committed, aborted])).toEqual(['a', 'b']);
  });

  it('ends where records were deleted after its end was asked for', async () => {
    const topic = await world.topic();
    const publisher = createPublisher({ connection: world.connection() });
    await publisher.publish(['a', 'b', 'c'].map((key) => ({ topic, key, value: Buffer.from(key) })));
    await publisher.close();
    let isAsked = false;
    const admin: Admin = {
      ...world.admin,
      fetchTopicOffsets: async (of) => {
        const ends = await world.admin.fetchTopicOffsets(of);
        if (!isAsked) await world.admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '3' }] });
        isAsked = true;
        return ends;
      },
    };
    const onRecords = (): Promise<boolean> => Promise.reject(new Error('there is nothing to read'));
    const reading = { kafka: createKafka(world.connection()), admin, topics: [topic], groupId: world.group() };
    await expect(readTopics({ ...reading, fromBeginning: true, follow: false, onRecords })).resolves.toBeUndefined();
  });
});
