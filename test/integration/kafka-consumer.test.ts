import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { OmsError } from '../../domain/errors.ts';
import { logEnds } from '../../kafka/admin/log-ends.ts';
import { createConsumerLoop } from '../../kafka/consumer/consumer.ts';
import type { Chunk, ConsumerLoop, ConsumerLoopOptions, OffsetAlert } from '../../kafka/consumer/consumer.ts';
import { createLagReader } from '../../kafka/consumer/lag.ts';
import { createPublisher } from '../../kafka/producer/publisher.ts';
import { startKafkaProxy } from '../helpers/kafka-proxy.ts';
import { API } from '../helpers/kafka-wire.ts';
import { createKafkaWorld, produceRaw } from '../helpers/kafka-world.ts';
import type { KafkaWorld } from '../helpers/kafka-world.ts';
import { waitFor } from '../helpers/wait.ts';

let world: KafkaWorld;
let loops: ConsumerLoop[] = [];

beforeAll(async () => {
  world = await createKafkaWorld();
});
afterEach(async () => {
  await Promise.all(loops.map((loop) => loop.stop({ graceMs: 5_000 })));
  loops = [];
});
afterAll(() => world.close());

/** A loop that fails the test when it crashes unasked. */
function loopOn(
  topic: string,
  groupId: string,
  handle: ConsumerLoopOptions['handle'],
  more: Partial<ConsumerLoopOptions> = {},
): ConsumerLoop {
  const onCrash = (error: unknown): never => {
    throw error;
  };
  const loop = createConsumerLoop({
    connection: world.connection(),
    groupId,
    topics: [topic],
    handle,
    onCrash,
    ...more,
  });
  loops.push(loop);
  return loop;
}

/** Publishes `0`, `1`, … and gives the topic. */
async function topicWith(count: number, partitions = 1): Promise<string> {
  const topic = await world.topic(partitions);
  const publisher = createPublisher({ connection: world.connection() });
  const records = Array.from({ length: count }, (_, n) => ({ topic, key: `k${n}`, value: Buffer.from(String(n)) }));
  const { held } = await publisher.publish(records);
  await publisher.close();
  if (held.length > 0) throw new Error('the records of the test could not be published');
  return topic;
}

const offsets = (chunk: Chunk): number[] => chunk.records.map(({ offset }) => Number(offset));
const down = (): OmsError => new OmsError('OMS_TEMPORAL_UNAVAILABLE', 'down');
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n);

describe('committing', () => {
  it('follows each chunk, and another member goes on behind it', async () => {
    const topic = await topicWith(10);
    const group = world.group();
    const chunks: number[][] = [];
    const loop = loopOn(topic, group, async (chunk) => void chunks.push(offsets(chunk)), { chunkRecords: 4 });
    await loop.start();
    await waitFor('all records', () => chunks.flat().length === 10);
    await waitFor('the commit', async () => (await world.committed(group, topic))[0] === 10n);
    expect(chunks).toEqual([range(0, 4), range(4, 8), range(8, 10)]);
    await loop.stop();

    const seen: number[] = [];
    await loopOn(topic, group, async (chunk) => void seen.push(...offsets(chunk))).start();
    const publisher = createPublisher({ connection: world.connection() });
    await publisher.publish([{ topic, key: 'k', value: Buffer.from('new') }]);
    await publisher.close();
    await waitFor('the new record', () => seen.length > 0);
    expect(seen).toEqual([10]);
  });

  it('survives that its answers are lost', async () => {
    const topic = await topicWith(6);
    const proxy = await startKafkaProxy(world.broker);
    const connection = world.connection({ socketFactory: proxy.socketFactory, requestTimeoutMs: 1_000 });
    const group = world.group();
    proxy.lose(API.OffsetCommit, 'swallow');
    proxy.lose(API.OffsetCommit, 'reset');
    const seen: number[] = [];
    const loop = loopOn(topic, group, async (chunk) => void seen.push(...offsets(chunk)), {
      connection,
      chunkRecords: 2,
    });
    await loop.start();
    await waitFor('the commit', async () => (await world.committed(group, topic))[0] === 6n);
    expect(proxy.lost(API.OffsetCommit)).toBe(2);
    expect(seen).toEqual(range(0, 6));
    await loop.stop();
    await proxy.close();
  });
});

describe('draining', () => {
  it('commits exactly the finished prefix, and the rest is handed out again', async () => {
    const topic = await topicWith(20);
    const group = world.group();
    const { promise: isHandling, resolve: handling } = Promise.withResolvers<void>();
    const loop = loopOn(topic, group, async (chunk) => {
      for (const done of [0n, 1n, 2n, 5n, 9n]) chunk.finished(done);
      handling();
      await new Promise((resolve) => chunk.signal.addEventListener('abort', resolve));
      chunk.finished(3n); // what was in flight ends, nothing new is begun
      throw chunk.signal.reason;
    });
    await loop.start();
    await isHandling;
    await loop.stop();
    await expect(world.committed(group, topic)).resolves.toEqual([4n]);

    const again: number[] = [];
    await loopOn(topic, group, async (chunk) => void again.push(...offsets(chunk))).start();
    await waitFor('the rest', () => again.includes(19));
    expect(again).toEqual(range(4, 20));
  });

  it('commits the whole chunk when its handler ends it', async () => {
    const topic = await topicWith(10);
    const group = world.group();
    const { promise: isHandling, resolve: handling } = Promise.withResolvers<void>();
    const handle = async (chunk: Chunk): Promise<void> => {
      handling();
      await new Promise((resolve) => chunk.signal.addEventListener('abort', resolve));
    };
    const loop = loopOn(topic, group, handle, { chunkRecords: 5 });
    await loop.start();
    await isHandling;
    await loop.stop();
    await expect(world.committed(group, topic)).resolves.toEqual([5n]);
    expect(loop.health().state).toBe('stopped');
  });

  it('ends in time although a handler never returns, and commits nothing', async () => {
    const topic = await topicWith(3);
    const group = world.group();
    const { promise: isHandling, resolve: handling } = Promise.withResolvers<void>();
    const loop = loopOn(topic, group, () => {
      handling();
      return new Promise<never>(() => undefined);
    });
    await loop.start();
    await isHandling;
    await loop.stop({ graceMs: 500 });
    await expect(world.committed(group, topic)).resolves.toEqual([-1n]);
  });
});

describe('a fault of the environment', () => {
  it('pauses the loop, commits nothing unfinished, and hands over again only what is not finished', async () => {
    const topic = await topicWith(6);
    const group = world.group();
    const calls: number[][] = [];
    let isDown = true;
    const loop = loopOn(topic, group, async (chunk) => {
      calls.push(offsets(chunk));
      if (calls.length === 1) [0n, 1n, 4n].forEach((offset) => chunk.finished(offset));
      if (isDown) throw down();
    });
    await loop.start();
    await waitFor('three tries', () => calls.length >= 3);
    expect(loop.health()).toMatchObject({ state: 'paused', pausedReason: 'OMS_TEMPORAL_UNAVAILABLE: down' });
    await expect(world.committed(group, topic)).resolves.toEqual([-1n]);
    isDown = false;
    await waitFor('the commit', async () => (await world.committed(group, topic))[0] === 6n);
    expect(calls[0]).toEqual(range(0, 6));
    for (const call of calls.slice(1)) expect(call).toEqual([2, 3, 5]);
    expect(loop.health()).toMatchObject({ state: 'running', pausedReason: undefined });
  });

  it('lets a stop through, with the finished prefix committed', async () => {
    const topic = await topicWith(6);
    const group = world.group();
    let calls = 0;
    const loop = loopOn(topic, group, async (chunk) => {
      calls++;
      chunk.finished(0n);
      throw down();
    });
    await loop.start();
    await waitFor('two tries', () => calls >= 2);
    await loop.stop();
    await expect(world.committed(group, topic)).resolves.toEqual([1n]);
  });

  it('keeps the place in the group for longer than the session', async () => {
    const topic = await topicWith(2);
    const group = world.group();
    let joins = 0;
    const startedAt = Date.now();
    const handle = async (chunk: Chunk): Promise<void> => {
      if (Date.now() - startedAt < 9_000) throw down();
      chunk.records.forEach(({ offset }) => chunk.finished(offset));
    };
    const loop = loopOn(topic, group, handle, {
      sessionTimeoutMs: 6_000,
      hooks: { onRebalance: () => void joins++ },
    });
    await loop.start();
    await waitFor('the commit', async () => (await world.committed(group, topic))[0] === 2n);
    expect(joins).toBe(0);
  });
});

describe('admission', () => {
  it('holds the next chunk back while there is a reason', async () => {
    const topic = await topicWith(4);
    let reason: string | undefined = 'too many open orders';
    const seen: number[] = [];
    const loop = loopOn(topic, world.group(), async (chunk) => void seen.push(...offsets(chunk)), {
      admit: () => reason,
    });
    await loop.start();
    await waitFor('the pause', () => loop.health().pausedReason === reason);
    expect(seen).toEqual([]);
    reason = undefined;
    await waitFor('the records', () => seen.length === 4);
  });
});

describe('a cluster out of reach', () => {
  it('shows in the health of the loop, which goes on by itself when it is back', async () => {
    const topic = await topicWith(3);
    const proxy = await startKafkaProxy(world.broker);
    const connection = world.connection({ socketFactory: proxy.socketFactory, requestTimeoutMs: 1_000 });
    const seen: number[] = [];
    const group = world.group();
    const loop = loopOn(topic, group, async (chunk) => void seen.push(...offsets(chunk)), {
      connection,
      fetchStallMs: 2_000,
    });
    await loop.start();
    await waitFor('the commit', async () => (await world.committed(group, topic))[0] === 3n);
    proxy.cut();
    await waitFor('the reason', () => loop.health().pausedReason?.startsWith('no fetch was answered'));
    expect(loop.health().state).toBe('paused');
    proxy.restore();
    const publisher = createPublisher({ connection: world.connection() });
    await publisher.publish([{ topic, key: 'k', value: Buffer.from('new') }]);
    await publisher.close();
    await waitFor('the new record', () => seen.includes(3));
    expect(loop.health().pausedReason).toBeUndefined();
    expect(seen).toEqual([0, 1, 2, 3]);
    await loop.stop();
    await proxy.close();
  });
});

describe('a bug in the handler', () => {
  it('crashes the loop once, commits what was finished before, and skips nothing', async () => {
    const topic = await topicWith(10);
    const group = world.group();
    const crashes: unknown[] = [];
    const bug = new Error('a bug');
    const handle = async (chunk: Chunk): Promise<void> => {
      if (offsets(chunk).includes(4)) throw bug;
    };
    const loop = loopOn(topic, group, handle, { chunkRecords: 2, onCrash: (error) => void crashes.push(error) });
    await loop.start();
    await waitFor('the crash', () => crashes.length > 0);
    expect(loop.health().state).toBe('crashed');
    await loop.stop();
    expect(crashes).toEqual([bug]);
    await expect(world.committed(group, topic)).resolves.toEqual([4n]);
  });
});

describe('a group of two', () => {
  it('handles every record in order, through a member that joins and one that leaves', async () => {
    const topic = await topicWith(600, 6);
    const group = world.group();
    const handled = new Map<string, number[]>();
    const handle = async (chunk: Chunk): Promise<void> => {
      for (const { partition, offset } of chunk.records) {
        if (chunk.signal.aborted) throw chunk.signal.reason;
        await sleep(2);
        const list = handled.get(String(partition)) ?? [];
        handled.set(String(partition), list);
        list.push(Number(offset));
        chunk.finished(offset);
      }
    };
    const options = { chunkRecords: 20, heartbeatMs: 200, maxBytesPerPartition: 2_000 };
    const first = loopOn(topic, group, handle, options);
    await first.start();
    await waitFor('some records', () => [...handled.values()].flat().length > 50);
    const second = loopOn(topic, group, handle, options);
    await second.start();
    await waitFor('a share of each', () => first.health().partitions === 3 && second.health().partitions === 3);
    await first.stop();
    const ends = await logEnds(world.admin, topic);
    await waitFor('the whole topic', async () => {
      const committed = await world.committed(group, topic);
      return ends.every(({ partition, high }) => committed[partition] === BigInt(high));
    });
    for (const { partition, high } of ends) {
      const list = handled.get(String(partition)) ?? [];
      expect([...new Set(list)]).toEqual(range(0, Number(high)));
    }
  });

  it('takes over from a member whose handler makes no progress', async () => {
    const topic = await topicWith(2);
    const group = world.group();
    const { promise: isStuck, resolve: stuck } = Promise.withResolvers<void>();
    const hang = (): Promise<never> => {
      stuck();
      return new Promise<never>(() => undefined);
    };
    const options = { sessionTimeoutMs: 6_000, heartbeatMs: 300, progressTimeoutMs: 1_000, rebalanceTimeoutMs: 6_000 };
    await loopOn(topic, group, hang, options).start();
    await isStuck;
    const seen: number[] = [];
    const starting = loopOn(topic, group, async (chunk) => void seen.push(...offsets(chunk)), options).start();
    await waitFor('the other member', () => seen.length === 2);
    await starting;
    expect(seen).toEqual([0, 1]);
  });
});

describe('offsets that jump', () => {
  it('are told of when records were deleted before they were read, and reading goes on at the log start', async () => {
    const topic = await topicWith(10);
    const group = world.group();
    await world.admin.setOffsets({ groupId: group, topic, partitions: [{ partition: 0, offset: '2' }] });
    await world.admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '5' }] });
    const alerts: OffsetAlert[] = [];
    const seen: number[] = [];
    const loop = loopOn(topic, group, async (chunk) => void seen.push(...offsets(chunk)), {
      onAlert: (alert) => void alerts.push(alert),
    });
    await loop.start();
    await waitFor('the rest', () => seen.length === 5);
    await waitFor('the alert', () => alerts.length > 0);
    expect(seen).toEqual(range(5, 10));
    expect(alerts[0]).toMatchObject({ kind: 'below-log-start', topic, partition: 0, expected: 2n, found: 5n });
  });

  it('are told of when the topic holds less than was committed', async () => {
    const topic = await topicWith(3);
    const group = world.group();
    await world.admin.setOffsets({ groupId: group, topic, partitions: [{ partition: 0, offset: '50' }] });
    const alerts: OffsetAlert[] = [];
    const seen: number[] = [];
    const loop = loopOn(topic, group, async (chunk) => void seen.push(...offsets(chunk)), {
      onAlert: (alert) => void alerts.push(alert),
    });
    await loop.start();
    await waitFor('the alert', () => alerts.length > 0);
    expect(alerts[0]).toMatchObject({ kind: 'beyond-log-end', expected: 50n, found: 3n });
    await waitFor('the records of the new topic', () => seen.length === 3);
  });
});

describe('records of other clients', () => {
  it.each([
    'java-gzip',
    'java-snappy',
    'java-lz4',
    'java-zstd',
    'rdkafka-gzip',
    'rdkafka-snappy',
    'rdkafka-lz4',
    'rdkafka-zstd',
  ])('compressed by %s are read', async (name) => {
    const topic = await world.topic();
    await produceRaw(world.broker, topic, readFileSync(new URL(`../kafka/fixtures/${name}.bin`, import.meta.url)));
    const keys: string[] = [];
    await loopOn(topic, world.group(), async (chunk) => {
      for (const { key } of chunk.records) keys.push(String(key));
    }).start();
    await waitFor('all records', () => keys.length === 300);
    expect(keys).toEqual(range(0, 300).map((n) => `k${n}`));
  });
});

describe('a topic that does not exist', () => {
  it('stops the start with the remedy', async () => {
    const loop = loopOn('test-no-such-topic', world.group(), async () => undefined);
    await expect(loop.start()).rejects.toMatchObject({ code: 'OMS_KAFKA_TOPIC_MISSING' });
  });
});

describe('lag', () => {
  it('counts what lies behind the committed offset, also when nothing reads', async () => {
    const topic = await topicWith(10);
    const group = world.group();
    const lag = createLagReader({ admin: world.admin, groupId: group, topics: [topic] });
    await expect(lag.read()).resolves.toEqual([
      { topic, partition: 0, committed: null, start: 0n, end: 10n, lag: 10n },
    ]);
    await world.admin.setOffsets({ groupId: group, topic, partitions: [{ partition: 0, offset: '4' }] });
    await expect(lag.read()).resolves.toMatchObject([{ committed: 4n, lag: 6n }]);
  });
});
