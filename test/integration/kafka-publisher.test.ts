import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createPublisher } from '../../kafka/producer/publisher.ts';
import type { OutgoingRecord, Publisher, PublisherOptions } from '../../kafka/producer/publisher.ts';
import { createKafkaWorld } from '../helpers/kafka-world.ts';
import type { KafkaWorld } from '../helpers/kafka-world.ts';

let world: KafkaWorld;
let publisher: Publisher | undefined;

const publisherWith = (options: Partial<PublisherOptions> = {}): Publisher =>
  (publisher = createPublisher({ connection: world.connection(), ...options }));

beforeAll(async () => {
  world = await createKafkaWorld();
});
afterEach(() => publisher?.close());
afterAll(() => world.close());

describe('a record larger than its topic takes', () => {
  it('is found by the broker and holds back only itself and what follows it in its lane', async () => {
    const topic = await world.topic(3, { 'max.message.bytes': '20000' });
    const records: OutgoingRecord[] = Array.from({ length: 60 }, (_, n) => ({
      topic,
      key: `order-${n % 10}`,
      value: Buffer.alloc(n === 24 ? 50_000 : 200, String(n % 10)),
    }));
    const outcome = await publisherWith().publish(records);
    const guilty = outcome.held.filter(({ error }) => !error.retryable);
    expect(guilty.map(({ record }) => record)).toEqual([records[24]]);
    expect(guilty[0]?.error.code).toBe('OMS_KAFKA_RECORD_TOO_LARGE');
    const behind = outcome.held.filter(({ error }) => error.retryable).map(({ record }) => records.indexOf(record));
    expect(behind).toEqual([34, 44, 54]);
    const log = await world.log(topic);
    expect(new Set(log.map(({ key }) => key)).size).toBe(10);
    expect(outcome.sent).toHaveLength(56);
  });
});

describe('compressed records', () => {
  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
    'with %s are taken by the broker and read',
    async (compression) => {
      const topic = await world.topic();
      const value = Buffer.from('order '.repeat(1_000));
      const { sent } = await publisherWith({ compression }).publish([
        { topic, key: 'a', value, headers: { ce_id: '1', twice: ['x', 'y'] } },
      ]);
      expect(sent).toMatchObject([{ partition: 0, offset: 0n }]);
      const [read] = await world.log(topic);
      expect(read?.value).toBe(value.toString());
      expect(read?.headers).toEqual({ ce_id: Buffer.from('1'), twice: [Buffer.from('x'), Buffer.from('y')] });
    },
  );
});

describe('many callers', () => {
  it('get their own outcomes, and every key keeps its order', async () => {
    const topic = await world.topic(4);
    const many = publisherWith({ maxRecords: 100 });
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        many.publish([{ topic, key: `k${n % 13}`, value: Buffer.from(String(n)) }]),
      ),
    );
    outcomes.forEach(({ sent }, n) => expect(sent[0]?.record.value?.toString()).toBe(String(n)));
    const log = await world.log(topic);
    expect(log).toHaveLength(200);
    for (let key = 0; key < 13; key++) {
      const numbers = log.filter((one) => one.key === `k${key}`).map(({ value }) => Number(value));
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    }
  });

  it('find records without a key on any partition, and null values kept as they are', async () => {
    const topic = await world.topic(2);
    await publisherWith().publish([{ topic, key: null, value: null }]);
    await expect(world.log(topic)).resolves.toMatchObject([{ key: null, value: null }]);
  });
});
