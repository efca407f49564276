import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createKafka } from '../../kafka/client/client.ts';
import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';
import { readRanges } from '../../kafka/reader/range-reader.ts';
import type { Range } from '../../kafka/reader/range-reader.ts';
import { createKafkaWorld, limitReading } from '../helpers/kafka-world.ts';
import type { KafkaWorld } from '../helpers/kafka-world.ts';

let world: KafkaWorld;
beforeAll(async () => {
  world = await createKafkaWorld();
});
afterAll(() => world.close());

/** Transactions leave marks in the log that no reader sees. */
async function produce(topic: string, partition: number, values: readonly string[], transactional = false) {
  const kafka = createKafka(world.connection());
  const settings = transactional ? { transactionalId: world.group(), maxInFlightRequests: 1, idempotent: true } : {};
  const producer = kafka.producer({ allowAutoTopicCreation: false, ...settings });
  await producer.connect();
  const messages = values.map((value) => ({ partition, value }));
  if (transactional) {
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages });
    await transaction.commit();
  } else {
    await producer.send({ topic, messages });
  }
  await producer.disconnect();
}

async function read(
  topic: string,
  ranges: readonly Range[],
  more: { signal?: AbortSignal; stopAt?: () => void; clientId?: string } = {},
) {
  const read: ConsumedRecord[] = [];
  const groupId = world.group();
  await readRanges({
    ...{
      connection: world.connection({ clientId: more.clientId ?? 'test' }),
      groupId,
      topic,
      ranges,
      chunkRecords: 3,
      signal: more.signal,
    },
    onRecords: (records) => {
      read.push(...records);
      more.stopAt?.();
      return Promise.resolve();
    },
  });
  const groups = (await world.admin.listGroups()).groups.map((group) => group.groupId);
  expect(groups).not.toContain(groupId);
  return read.map(({ partition, offset, value }) => `${partition}:${offset} ${value?.toString()}`).sort();
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => `v${i}`);
const range = (partition: number, next: number, end: number): Range => ({
  partition,
  next: BigInt(next),
  end: BigInt(end),
});

describe('reading ranges', () => {
  it('gives exactly the records of each range, whatever else the topic holds, and leaves no group behind', async () => {
    const topic = await world.topic(3);
    for (const partition of [0, 1, 2]) await produce(topic, partition, numbered(10));
    expect(await read(topic, [range(0, 2, 5), range(2, 9, 10), range(1, 4, 4)])).toEqual([
      '0:2 v2',
      '0:3 v3',
      '0:4 v4',
      '2:9 v9',
    ]);
  });

  it('ends behind marks of transactions, which no reader is given', async () => {
    const topic = await world.topic(2);
    await produce(topic, 0, ['a', 'b'], true);
    await produce(topic, 1, ['c'], true);
    // The marks stand at 0:2 and 1:1.
    expect(await read(topic, [range(0, 0, 3), range(1, 0, 2)])).toEqual(['0:0 a', '0:1 b', '1:0 c']);
    expect(await read(topic, [range(0, 2, 3)])).toEqual([]);
  });

  it('ends where records of the range were deleted meanwhile', async () => {
    const topic = await world.topic();
    await produce(topic, 0, numbered(6));
    await world.admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '4' }] });
    expect(await read(topic, [range(0, 1, 6)])).toEqual(['0:4 v4', '0:5 v5']);
    expect(await read(topic, [range(0, 1, 3)])).toEqual([]);
    await world.admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '6' }] });
    expect(await read(topic, [range(0, 1, 6)])).toEqual([]);
  });

  it('reads all there is where a quota lets it read slowly, and brokers answer nothing at all for a while', async () => {
    const [topic, clientId] = [await world.topic(4), world.group()];
    const values = Array.from({ length: 400 }, (_, i) => String(i).padEnd(1_000));
    for (const partition of [0, 1, 2, 3]) await produce(topic, partition, values);
    await limitReading(world.broker, clientId, 300_000);
    const all = [0, 1, 2, 3].map((partition) => range(partition, 0, values.length));
    const reading = Array.from({ length: 4 }, () => read(topic, all, { clientId }));
    const counts = (await Promise.all(reading)).map((one) => one.length);
    await limitReading(world.broker, clientId, null);
    expect(counts).toEqual(Array(4).fill(4 * values.length));
  });

  it('refuses a topic that ends before the range does: it was made anew', async () => {
    const topic = await world.topic();
    await produce(topic, 0, numbered(2));
    await expect(read(topic, [range(0, 0, 5)])).rejects.toMatchObject({ code: 'OMS_REPLAY_TOPIC_CHANGED' });
  });

  it('ends early when told to, and with what its taker throws', async () => {
    const topic = await world.topic();
    await produce(topic, 0, numbered(9));
    const stopping = new AbortController();
    const stopAt = (): void => stopping.abort();
    expect(await read(topic, [range(0, 0, 9)], { signal: stopping.signal, stopAt })).toHaveLength(3);
    const onRecords = (): Promise<void> => Promise.reject(new Error('a bug'));
    const reading = {
      connection: world.connection(),
      groupId: world.group(),
      topic,
      ranges: [range(0, 0, 9)],
      onRecords,
    };
    await expect(readRanges(reading)).rejects.toThrow('a bug');
  });

  it('says that a topic is missing', async () => {
    await expect(read('no-such-topic', [range(0, 0, 1)])).rejects.toMatchObject({ code: 'OMS_KAFKA_TOPIC_MISSING' });
  });
});
