import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { createPublisher } from '../../kafka/producer/publisher.ts';
import type { OutgoingRecord, Publisher, PublisherOptions } from '../../kafka/producer/publisher.ts';
import { createLogger } from '../../platform/logger.ts';
import { ERROR, startFakeCluster } from '../helpers/fake-cluster.ts';
import type { FakeCluster } from '../helpers/fake-cluster.ts';
import { waitFor } from '../helpers/wait.ts';

const logger = createLogger({ role: 'test', level: 'silent' });

// A limit for what hangs, not a measure of speed.
jest.setTimeout(60_000);

let cluster: FakeCluster;
let publisher: Publisher;
let rejections: unknown[];

/** Keys that murmur2 puts on the given partition of two. */
const KEYS = { 0: ['a', 'b', 'c'], 1: ['d', 'f', 'g'] } as const;

const record = (topic: string, key: string, value: string, more: Partial<OutgoingRecord> = {}): OutgoingRecord => ({
  topic,
  key,
  value: Buffer.from(value),
  headers: { ce_id: value },
  ...more,
});

function publisherOn(options: Partial<PublisherOptions> = {}): Publisher {
  return createPublisher({
    connection: { brokers: cluster.brokers, clientId: 'test', logger, requestTimeoutMs: 1_000 },
    hooks: { onRejected: (error) => rejections.push(error) },
    stallMs: 500,
    splitStallMs: 500,
    ...options,
  });
}

beforeEach(async () => {
  cluster = await startFakeCluster({ brokers: 2, topics: { t: [0, 1], u: [0, 1] } });
  rejections = [];
  publisher = publisherOn();
});

afterEach(async () => {
  await publisher.close({ graceMs: 0 });
  await cluster.close();
});

const sentValues = (outcome: { sent: { record: OutgoingRecord }[] }): (string | undefined)[] =>
  outcome.sent.map((sent) => sent.record.value?.toString());

describe('publisher', () => {
  it('reports partition and offset of each record, in the order given per partition', async () => {
    const outcome = await publisher.publish([
      record('t', 'a', '1'),
      record('t', 'd', '2'),
      record('t', 'b', '3'),
      record('t', 'd', '4'),
    ]);
    expect(outcome.held).toEqual([]);
    expect(outcome.sent.map(({ partition, offset }) => [partition, offset])).toEqual([
      [0, 0n],
      [1, 0n],
      [0, 1n],
      [1, 1n],
    ]);
    expect([cluster.log('t', 0), cluster.log('t', 1)]).toEqual([
      ['1', '3'],
      ['2', '4'],
    ]);
  });

  it('puts a key on the partition that Java clients choose', async () => {
    const outcome = await publisher.publish([...KEYS[0], ...KEYS[1]].map((key) => record('t', key, key)));
    const placed = Object.fromEntries(
      outcome.sent.map(({ record: sent, partition }) => [String(sent.key), partition] as const),
    );
    expect(placed).toEqual({ a: 0, b: 0, c: 0, d: 1, f: 1, g: 1 });
  });

  it('joins records of calls made at the same time into one send', async () => {
    await publisher.connect();
    await Promise.all(KEYS[0].map((key) => publisher.publish([record('t', key, key)])));
    expect(cluster.produced.map(({ values }) => values)).toEqual([['a', 'b', 'c']]);
  });

  it('resolves at once when there is nothing to publish', async () => {
    await expect(publisher.publish([])).resolves.toEqual({ sent: [], held: [] });
  });
});

describe('a send that moves to another broker half way', () => {
  /** Broker 0 confirms its partition; broker 1 says that it no longer leads the other, which moves to broker 0. */
  const moveAway = (): void => {
    let isMoved = false;
    cluster.answer(({ partition }) => {
      if (partition === 0 || isMoved) return 'ok';
      isMoved = true;
      cluster.moveLeader('t', 1, 0);
      return ERROR.NotLeader;
    });
  };

  it('is called done by kafkajs although one partition was not written', async () => {
    moveAway();
    const kafka = new Kafka({ brokers: cluster.brokers, logLevel: logLevel.NOTHING });
    const producer = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition ?? 0,
    });
    await producer.connect();
    await producer.send({
      topic: 't',
      messages: [
        { value: 'p0', partition: 0 },
        { value: 'p1', partition: 1 },
      ],
    });
    await producer.disconnect();
    expect([cluster.log('t', 0), cluster.log('t', 1)]).toEqual([['p0'], []]);
  });

  it('is not taken as done: what is missing is sent again', async () => {
    moveAway();
    const outcome = await publisher.publish([record('t', 'a', 'p0'), record('t', 'd', 'p1')]);
    expect(outcome.held).toEqual([]);
    expect(sentValues(outcome).sort()).toEqual(['p0', 'p1']);
    expect(cluster.log('t', 1)).toEqual(['p1']);
    expect(rejections).toMatchObject([{ name: 'IncompleteSendError' }]);
  });

  it('is sent again by a new producer', async () => {
    moveAway();
    await publisher.publish([record('t', 'a', 'p0'), record('t', 'd', 'p1')]);
    const producers = cluster.produced.filter(({ partition }) => partition === 1).map(({ producerId }) => producerId);
    expect(new Set(producers).size).toBe(2);
  });
});

describe('a record that can never be sent', () => {
  const refuse = (value: string, code: number): void =>
    cluster.answer(({ values }) => (values.includes(value) ? code : 'ok'));

  it.each([
    ['too large for the broker', ERROR.MessageTooLarge, 'OMS_KAFKA_RECORD_TOO_LARGE'],
    ['invalid to the broker', ERROR.InvalidRecord, 'OMS_KAFKA_RECORD_REFUSED'],
  ])('(%s) holds back only itself', async (_what, code, expected) => {
    refuse('bad', code);
    const values = ['1', '2', '3', 'bad', '5', '6', '7'];
    const outcome = await publisher.publish(values.map((value) => record('t', 'a', value, { lane: value })));
    expect(outcome.held).toMatchObject([{ record: { lane: 'bad' }, error: { code: expected, retryable: false } }]);
    expect(cluster.log('t', 0)).toEqual(['1', '2', '3', '5', '6', '7']);
  });

  it('holds back the later records of its lane, on every topic, and no others', async () => {
    refuse('bad', ERROR.MessageTooLarge);
    const outcome = await publisher.publish([
      record('t', 'a', 'x1', { lane: 'x' }),
      record('t', 'a', 'bad', { lane: 'x' }),
      record('t', 'b', 'y1', { lane: 'y' }),
      record('t', 'a', 'x3', { lane: 'x' }),
      record('t', 'b', 'y2', { lane: 'y' }),
    ]);
    expect(sentValues(outcome)).toEqual(['x1', 'y1', 'y2']);
    expect(outcome.held.map(({ record: held, error }) => [held.value?.toString(), error.retryable])).toEqual([
      ['bad', false],
      ['x3', true],
    ]);
  });

  it('holds back what waits behind it in other calls', async () => {
    await publisher.close();
    publisher = publisherOn({ maxRecords: 1 });
    refuse('bad', ERROR.MessageTooLarge);
    const first = publisher.publish([record('t', 'a', 'bad')]);
    const behind = publisher.publish([record('u', 'a', '2')]);
    const other = publisher.publish([record('u', 'b', '3')]);
    expect((await first).held).toHaveLength(1);
    expect((await behind).held).toMatchObject([{ error: { code: 'OMS_KAFKA_SEND_REJECTED' } }]);
    expect((await other).sent).toHaveLength(1);
  });

  it('is found before anything is sent when the limit is known', async () => {
    await publisher.close();
    publisher = publisherOn({ maxBatchBytes: () => 1_000 });
    const outcome = await publisher.publish([record('t', 'a', 'x'.repeat(2_000)), record('t', 'b', 'fine')]);
    expect(outcome.held).toMatchObject([{ error: { code: 'OMS_KAFKA_RECORD_TOO_LARGE' } }]);
    expect(cluster.produced.map(({ values }) => values)).toEqual([['fine']]);
  });

  it('leaves other partitions flowing when kafkajs itself cannot encode it', async () => {
    const broken = record('t', 'a', 'bad', { headers: { n: 5 as unknown as string } });
    const outcome = await publisher.publish([broken, record('t', 'd', 'fine'), record('t', 'b', 'also fine')]);
    expect(outcome.held).toMatchObject([{ record: broken, error: { code: 'OMS_KAFKA_RECORD_REFUSED' } }]);
    expect(sentValues(outcome).sort()).toEqual(['also fine', 'fine']);
  });
});

describe('a batch of more than a topic takes', () => {
  it('goes in several sends, in order', async () => {
    await publisher.close();
    publisher = publisherOn({ maxBatchBytes: () => 2_000 });
    const values = Array.from({ length: 20 }, (_, n) => `${n}`.padEnd(400, '.'));
    const outcome = await publisher.publish(values.map((value) => record('t', 'a', value)));
    expect(outcome.held).toEqual([]);
    expect(cluster.log('t', 0)).toEqual(values);
    expect(cluster.produced.length).toBeGreaterThan(4);
  });
});

describe('a topic or partition out of order', () => {
  it('that does not exist holds back its own records, to be tried again', async () => {
    const outcome = await publisher.publish([record('gone', 'a', '1'), record('t', 'b', '2')]);
    expect(outcome.held).toMatchObject([{ error: { code: 'OMS_KAFKA_TOPIC_MISSING', retryable: true } }]);
    expect(sentValues(outcome)).toEqual(['2']);
  });

  it('that may not be written holds back its own records', async () => {
    cluster.answer(({ topic }) => (topic === 'u' ? ERROR.NotAuthorized : 'ok'));
    const outcome = await publisher.publish([record('u', 'a', '1'), record('t', 'b', '2'), record('u', 'd', '3')]);
    expect(outcome.held).toMatchObject([
      { error: { code: 'OMS_KAFKA_NOT_AUTHORIZED' } },
      { error: { code: 'OMS_KAFKA_NOT_AUTHORIZED' } },
    ]);
    expect(sentValues(outcome)).toEqual(['2']);
  });

  it('that is deleted in the middle of a send does not stop the others', async () => {
    cluster.answer(({ topic }) => {
      if (topic === 't') return 'ok';
      cluster.removeTopic('u');
      return ERROR.UnknownTopic;
    });
    const outcome = await publisher.publish([record('u', 'a', '1'), record('t', 'b', '2')]);
    expect(outcome.held).toMatchObject([{ error: { retryable: true } }]);
    expect(sentValues(outcome)).toEqual(['2']);
  });

  it('that never answers holds back its own records; later sends go past it, and it is tried again', async () => {
    let isSilent = true;
    cluster.answer(({ topic, partition }) => (isSilent && topic === 't' && partition === 1 ? 'silence' : 'ok'));
    const outcome = await publisher.publish([record('t', 'd', 'stuck'), record('t', 'a', 'flows')]);
    expect(outcome.held).toMatchObject([{ record: { key: 'd' }, error: { code: 'OMS_KAFKA_SEND_REJECTED' } }]);
    expect(sentValues(outcome)).toEqual(['flows']);
    const sends = cluster.produced.length;
    await publisher.publish([record('t', 'a', 'again')]);
    expect(cluster.produced.slice(sends).map(({ values }) => values)).toEqual([['again']]);
    isSilent = false;
    const repeated = await publisher.publish([record('t', 'd', 'stuck')]);
    expect(repeated.held).toEqual([]);
    expect(new Set(cluster.log('t', 1))).toEqual(new Set(['stuck']));
  });
});

describe('an answer that repeats an older offset', () => {
  it('is not taken as done', async () => {
    await publisher.publish([record('t', 'a', '1'), record('t', 'a', '2')]);
    // What a broker answers to a sequence it has seen: success, with the first offset of long ago.
    cluster.repeatOffset('t', 0, 0n);
    const outcome = await publisher.publish([record('t', 'a', '3')]);
    expect(outcome.sent).toMatchObject([{ offset: 2n }]);
    expect(cluster.log('t', 0)).toEqual(['1', '2', '3']);
    expect(rejections).toMatchObject([{ name: 'IncompleteSendError' }]);
  });
});

describe('closing', () => {
  it('sends what is queued first', async () => {
    const outcome = publisher.publish([record('t', 'a', '1')]);
    await publisher.close();
    expect((await outcome).sent).toHaveLength(1);
  });

  it('holds back what cannot be sent in time', async () => {
    cluster.answer(() => 'silence');
    const outcome = publisher.publish([record('t', 'a', '1')]);
    await waitFor('the send', () => cluster.produced.length > 0);
    await publisher.close({ graceMs: 0 });
    expect((await outcome).held).toMatchObject([{ error: { code: 'OMS_KAFKA_UNAVAILABLE', retryable: true } }]);
  });

  it('ends the wait for a cluster that cannot be reached', async () => {
    await cluster.close();
    const connecting = publisher.connect();
    const rejected = expect(connecting).rejects.toThrow();
    await publisher.close({ graceMs: 0 });
    await rejected;
  });

  it('takes no more records', async () => {
    await publisher.close();
    const outcome = await publisher.publish([record('t', 'a', '1')]);
    expect(outcome.held).toMatchObject([{ error: { code: 'OMS_KAFKA_UNAVAILABLE' } }]);
  });
});
