import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createKafka } from '../../kafka/client/client.ts';
import { createPublisher } from '../../kafka/producer/publisher.ts';
import type { OutgoingRecord, Publisher } from '../../kafka/producer/publisher.ts';
import { startKafkaProxy } from '../helpers/kafka-proxy.ts';
import type { KafkaProxy } from '../helpers/kafka-proxy.ts';
import { API } from '../helpers/kafka-wire.ts';
import { createKafkaWorld } from '../helpers/kafka-world.ts';
import type { KafkaWorld } from '../helpers/kafka-world.ts';
import { waitFor } from '../helpers/wait.ts';

let world: KafkaWorld;
let proxy: KafkaProxy;
let publisher: Publisher;
let topic: string;

const record = (value: string, key = 'k'): OutgoingRecord => ({
  topic,
  key,
  value: Buffer.from(value),
  headers: { ce_id: value },
});
const values = async (): Promise<(string | null)[]> => (await world.log(topic)).map(({ value }) => value);

beforeAll(async () => {
  world = await createKafkaWorld();
});
beforeEach(async () => {
  proxy = await startKafkaProxy(world.broker);
  topic = await world.topic();
  const connection = world.connection({ socketFactory: proxy.socketFactory, requestTimeoutMs: 1_000 });
  publisher = createPublisher({ connection, stallMs: 3_000, splitStallMs: 3_000 });
});
afterEach(async () => {
  proxy.heal();
  await publisher.close();
  await proxy.close();
});
afterAll(() => world.close());

describe('kafkajs by itself', () => {
  it('loses an acknowledged record when one answer is lost while others wait', async () => {
    const connection = world.connection({ socketFactory: proxy.socketFactory, requestTimeoutMs: 1_000 });
    const producer = createKafka(connection).producer({ idempotent: true });
    await producer.connect();
    await producer.send({ topic, messages: [{ key: 'k', value: 'first' }] });
    proxy.lose(API.Produce, 'swallow');
    const sends = ['A', 'B', 'C'].map((value) => producer.send({ topic, messages: [{ key: 'k', value }] }));
    await Promise.all(sends);
    await producer.disconnect();
    const found = new Set(await values());
    expect(['first', 'A', 'B', 'C'].every((value) => found.has(value))).toBe(false);
  });
});

describe('the publisher', () => {
  it.each(['swallow', 'reset'] as const)('leaves an exact log when an answer is lost by %s', async (fault) => {
    await publisher.publish([record('first')]);
    proxy.lose(API.Produce, fault);
    const outcomes = await Promise.all(['A', 'B', 'C'].map((value) => publisher.publish([record(value)])));
    expect(outcomes.flatMap(({ held }) => held)).toEqual([]);
    expect(proxy.lost(API.Produce)).toBe(1);
    await expect(values()).resolves.toEqual(['first', 'A', 'B', 'C']);
  });

  it('leaves an exact log when answers are lost again and again', async () => {
    const all = Array.from({ length: 60 }, (_, n) => `v${n}`);
    for (let n = 0; n < all.length; n += 6) {
      proxy.lose(API.Produce, n % 4 === 0 ? 'swallow' : 'reset');
      const outcomes = await Promise.all(all.slice(n, n + 6).map((value) => publisher.publish([record(value)])));
      expect(outcomes.flatMap(({ held }) => held)).toEqual([]);
    }
    expect(proxy.lost(API.Produce)).toBe(10);
    await expect(values()).resolves.toEqual(all);
  });

  it.each([
    ['metadata', API.Metadata],
    ["the producer's id", API.InitProducerId],
  ])('connects although the answer with %s is lost', async (_what, api) => {
    proxy.lose(api, 'swallow', 2);
    const { sent } = await publisher.publish([record('A')]);
    expect(sent).toHaveLength(1);
    await expect(values()).resolves.toEqual(['A']);
  });

  it('gives up a send that is never answered, and repeats it with the same id and bytes: nothing is lost', async () => {
    await publisher.publish([record('first')]);
    const sent = [record('A'), record('B'), record('C')];
    proxy.lose(API.Produce, 'swallow', Infinity);
    const { held } = await publisher.publish(sent);
    expect(held).toHaveLength(3);
    expect(held.every(({ error }) => error.retryable)).toBe(true);

    proxy.heal();
    const again = await publisher.publish(held.map(({ record: one }) => one));
    expect(again.held).toEqual([]);
    const log = await world.log(topic);
    expect(firstOccurrences(log.map(({ value }) => value))).toEqual(['first', 'A', 'B', 'C']);
    expect(log.length).toBeGreaterThan(4);
    for (const { value, headers } of log) expect(headers.ce_id?.toString()).toBe(value);
  });

  it('waits through an outage longer than its patience with single sends, and leaves an exact log', async () => {
    await publisher.publish([record('first')]);
    proxy.cut();
    const outcomes = ['A', 'B', 'C'].map((value) => publisher.publish([record(value)]));
    await waitFor('four seconds of it', () => publisher.health().oldestMs > 4_000);
    proxy.restore();
    for (const { held } of await Promise.all(outcomes)) expect(held).toEqual([]);
    await expect(values()).resolves.toEqual(['first', 'A', 'B', 'C']);
  });

  it('goes on by itself when the answers come back while it is waiting', async () => {
    proxy.lose(API.Produce, 'swallow', Infinity);
    const outcome = publisher.publish([record('A'), record('B')]);
    await waitFor('two lost answers', () => proxy.lost(API.Produce) >= 2);
    proxy.heal();
    expect((await outcome).held).toEqual([]);
    expect(firstOccurrences(await values())).toEqual(['A', 'B']);
  });
});

function firstOccurrences<T>(all: readonly T[]): T[] {
  return [...new Set(all)];
}
