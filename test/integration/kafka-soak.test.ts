import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { logEnds } from '../../kafka/admin/log-ends.ts';
import { createConsumerLoop } from '../../kafka/consumer/consumer.ts';
import type { Chunk, ConsumerLoop } from '../../kafka/consumer/consumer.ts';
import { createPublisher } from '../../kafka/producer/publisher.ts';
import type { OutgoingRecord, Publisher } from '../../kafka/producer/publisher.ts';
import { startKafkaProxy } from '../helpers/kafka-proxy.ts';
import type { KafkaProxy } from '../helpers/kafka-proxy.ts';
import { API } from '../helpers/kafka-wire.ts';
import { createKafkaWorld } from '../helpers/kafka-world.ts';
import type { KafkaWorld } from '../helpers/kafka-world.ts';
import { waitFor } from '../helpers/wait.ts';

const LONG = process.env.OMS_TEST_LONG === '1';
const ROUNDS = LONG ? 200 : 15;
const RECORDS_A_ROUND = 40;
const KEYS = 12;
/** Give it to repeat a run: OMS_TEST_SEED=… */
const SEED = Number(process.env.OMS_TEST_SEED ?? randomInt(1, 2 ** 31));

jest.setTimeout(LONG ? 1_800_000 : 240_000);

/** Small and repeatable; quality does not matter here (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

let world: KafkaWorld;
let proxy: KafkaProxy;
let publisher: Publisher;
let loop: ConsumerLoop;

beforeAll(async () => {
  world = await createKafkaWorld();
});
beforeEach(async () => {
  proxy = await startKafkaProxy(world.broker);
});
afterEach(async () => {
  proxy.heal();
  proxy.restore();
  await Promise.all([publisher.close(), loop.stop()]);
  await proxy.close();
});
afterAll(() => world.close());

/** Loses one answer or another, or cuts the broker off for a moment. */
async function disturb(random: () => number): Promise<void> {
  const kinds = Object.values(API).filter((api) => api !== API.ApiVersions);
  if (random() < 0.15) {
    proxy.cut();
    await sleep(random() * 1_500);
    proxy.restore();
    return;
  }
  const api = kinds[Math.floor(random() * kinds.length)] ?? API.Produce;
  proxy.lose(random() < 0.6 ? API.Produce : api, random() < 0.5 ? 'swallow' : 'reset');
}

describe(`publisher and consumer through random faults (seed ${SEED})`, () => {
  it('lose nothing, keep the order of each key, and commit only what was handled', async () => {
    const topic = await world.topic(4);
    const group = world.group();
    const connection = world.connection({ socketFactory: proxy.socketFactory, requestTimeoutMs: 1_000 });
    publisher = createPublisher({ connection, stallMs: 20_000, splitStallMs: 10_000 });
    const handled = new Map<number, number[]>();
    loop = createConsumerLoop({
      connection,
      groupId: group,
      topics: [topic],
      handle: async (chunk: Chunk) => {
        const list = handled.get(chunk.partition) ?? [];
        handled.set(chunk.partition, list);
        list.push(...chunk.records.map(({ offset }) => Number(offset)));
      },
      onCrash: (error) => {
        throw error;
      },
      chunkRecords: 10,
      heartbeatMs: 300,
    });
    await loop.start();

    const random = seeded(SEED);
    let number = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const records = Array.from({ length: RECORDS_A_ROUND }, (): OutgoingRecord => {
        const value = Buffer.from(String(number));
        return { topic, key: `k${number++ % KEYS}`, value };
      });
      const halves = [records.slice(0, RECORDS_A_ROUND / 2), records.slice(RECORDS_A_ROUND / 2)];
      const outcomes = Promise.all(halves.map((half) => publisher.publish(half)));
      await disturb(random);
      for (const { held } of await outcomes) expect(held.map(({ error }) => error.message)).toEqual([]);
    }
    proxy.heal();

    const log = await world.log(topic);
    for (let key = 0; key < KEYS; key++) {
      const numbers = log.filter((one) => one.key === `k${key}`).map(({ value }) => Number(value));
      const expected = Array.from({ length: Math.ceil((number - key) / KEYS) }, (_, n) => key + n * KEYS);
      expect([...new Set(numbers)]).toEqual(expected);
    }
    const ends = await logEnds(world.admin, topic);
    await waitFor('the whole topic', async () => {
      const committed = await world.committed(group, topic);
      return ends.every(({ partition, high }) => high === '0' || committed[partition] === BigInt(high));
    });
    for (const { partition, high } of ends) {
      const list = handled.get(partition) ?? [];
      expect([...new Set(list)]).toEqual(Array.from({ length: Number(high) }, (_, n) => n));
    }
    expect(loop.health().state).toBe('running');
  });
});
