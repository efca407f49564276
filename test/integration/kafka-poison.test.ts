import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createCodec } from '../../kafka/codec/codec.ts';
import type { Codec } from '../../kafka/codec/codec.ts';
import { createRegistry } from '../../kafka/codec/registry.ts';
import { createConsumerLoop } from '../../kafka/consumer/consumer.ts';
import type { Chunk, ConsumedRecord, ConsumerLoop } from '../../kafka/consumer/consumer.ts';
import { deadLetterHeaders } from '../../kafka/headers.ts';
import { createPublisher } from '../../kafka/producer/publisher.ts';
import type { Publisher } from '../../kafka/producer/publisher.ts';
import { subjectOf } from '../../kafka/topics.ts';
import { createKafkaWorld } from '../helpers/kafka-world.ts';
import type { KafkaWorld } from '../helpers/kafka-world.ts';
import { testEnvironment } from '../helpers/stack.ts';
import { waitFor } from '../helpers/wait.ts';

const schema = {
  type: 'record',
  name: 'Placed',
  namespace: 'test',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'lines', type: { type: 'array', items: 'string' } },
  ],
} as const;

interface Placed {
  id: string;
  lines: string[];
}

let world: KafkaWorld;
let publisher: Publisher;
let front: RegistryFront;
let topic: string;
let deadLetters: string;
let ids: { ours: number; foreign: number };
let loop: ConsumerLoop | undefined;

/** The real registry behind an address that can fail, counting what it is asked for schemas by id. */
interface RegistryFront {
  url: string;
  fails: boolean;
  asked: string[];
  server: Server;
}

async function startFront(target: string): Promise<RegistryFront> {
  const state: RegistryFront = { url: '', fails: false, asked: [], server: createServer() };
  state.server.on('request', (request, response) => {
    const path = request.url ?? '';
    if (path.startsWith('/schemas/ids/')) state.asked.push(path);
    const answered = state.fails
      ? Promise.resolve({ status: 503, text: '{}' })
      : forward(target + path, request.method);
    void answered.then(({ status, text }) => response.writeHead(status).end(text));
  });
  await new Promise<void>((resolve) => state.server.listen(0, '127.0.0.1', resolve));
  state.url = `http://127.0.0.1:${(state.server.address() as AddressInfo).port}`;
  return state;
}

async function forward(url: string, method = 'GET'): Promise<{ status: number; text: string }> {
  const response = await fetch(url, { method });
  return { status: response.status, text: await response.text() };
}

/** As a producer of another make: kafkajs' own registry client registers and encodes. */
async function foreignWriter(): Promise<{ registry: SchemaRegistry; ours: number; foreign: number }> {
  const registry = new SchemaRegistry({ host: testEnvironment().SCHEMA_REGISTRY_URL });
  const register = async (name: string, subject: string): Promise<number> => {
    const text = JSON.stringify({ ...schema, name });
    const options = { subject, updateConfig: false };
    return (await registry.register({ type: 'AVRO' as never, schema: text }, options)).id;
  };
  return {
    registry,
    ours: await register('Placed', subjectOf(topic)),
    foreign: await register('Foreign', `${topic}-foreign`),
  };
}

/** What ingest does in short: an event goes on, poison goes to the dead letters, and the record is finished. */
function handlerOf(codec: Codec, events: Placed[]): (chunk: Chunk) => Promise<void> {
  return async (chunk) => {
    const results = await codec.decodeBatch<Placed>(
      topic,
      chunk.records.map(({ value }) => value),
    );
    const letters = results.flatMap((result, n) => {
      const record = chunk.records[n];
      if (!record) return [];
      if (result.kind === 'poison') return [deadLetter(record, result.error.code)];
      events.push(result.value);
      return [];
    });
    const { held } = await publisher.publish(letters);
    if (held[0]) throw held[0].error;
  };
}

const deadLetter = (record: ConsumedRecord, errorCode: string): Parameters<Publisher['publish']>[0][number] => ({
  topic: deadLetters,
  key: record.key,
  value: record.value,
  headers: deadLetterHeaders(record.headers, { errorCode, originalOffset: record.offset }),
});

beforeAll(async () => {
  world = await createKafkaWorld();
});
beforeEach(async () => {
  topic = await world.topic();
  deadLetters = await world.topic();
  front = await startFront(testEnvironment().SCHEMA_REGISTRY_URL);
  publisher = createPublisher({ connection: world.connection() });
});
afterEach(async () => {
  await loop?.stop();
  await publisher.close();
  front.server.closeAllConnections();
  await new Promise((resolve) => front.server.close(resolve));
});
afterAll(() => world.close());

async function run(events: Placed[]): Promise<string> {
  const group = world.group();
  const codec = createCodec({ registry: createRegistry({ url: front.url }), schemas: [{ topic, schema }] });
  loop = createConsumerLoop({
    connection: world.connection(),
    groupId: group,
    topics: [topic],
    handle: handlerOf(codec, events),
    onCrash: (error) => {
      throw error;
    },
    chunkRecords: 3,
  });
  await loop.start();
  return group;
}

async function publishValues(values: (Buffer | null)[]): Promise<void> {
  const headers = { origin: 'upstream' };
  const { held } = await publisher.publish(values.map((value, n) => ({ topic, key: `k${n}`, value, headers })));
  expect(held).toEqual([]);
}

const withId = (id: number, ...bytes: number[]): Buffer => {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(id, 1);
  return Buffer.concat([header, Buffer.from(bytes)]);
};
const HUGE_COUNT = [0xfe, 0xff, 0xff, 0xff, 0x1f];

describe('poison messages', () => {
  it('end as dead letters with their bytes, and the records between and behind them are processed', async () => {
    const writer = await foreignWriter();
    ids = writer;
    const good = (id: string): Promise<Buffer> => writer.registry.encode(ids.ours, { id, lines: ['a'] });
    const first = await good('1');
    const poison: [Buffer | null, string][] = [
      [null, 'OMS_INGEST_VALUE_EMPTY'],
      [Buffer.alloc(0), 'OMS_INGEST_VALUE_EMPTY'],
      [Buffer.from('{"id":"1"}'), 'OMS_INGEST_NOT_AVRO'],
      [withId(2_000_000_000, 0), 'OMS_INGEST_SCHEMA_UNKNOWN'],
      [await writer.registry.encode(ids.foreign, { id: '1', lines: [] }), 'OMS_INGEST_SCHEMA_FOREIGN'],
      [first.subarray(0, -1), 'OMS_INGEST_AVRO_CORRUPT'],
      [Buffer.concat([first, Buffer.from('x')]), 'OMS_INGEST_AVRO_CORRUPT'],
      [withId(ids.ours, 2, 49, ...HUGE_COUNT), 'OMS_INGEST_AVRO_CORRUPT'],
      [withId(2_000_000_000, 1), 'OMS_INGEST_SCHEMA_UNKNOWN'],
    ];
    const values = [first, ...poison.map(([value]) => value), await good('2')];
    await publishValues(values);

    const events: Placed[] = [];
    const group = await run(events);
    await waitFor('the commit', async () => (await world.committed(group, topic))[0] === BigInt(values.length));
    expect(events).toEqual([
      { id: '1', lines: ['a'] },
      { id: '2', lines: ['a'] },
    ]);
    const letters = await world.log(deadLetters);
    expect(letters.map(({ headers }) => String(headers['oms-dlq-error-code']))).toEqual(poison.map(([, code]) => code));
    expect(letters.map(({ value }) => value)).toEqual(poison.map(([value]) => value?.toString() ?? null));
    expect(letters.map(({ key }) => key)).toEqual(poison.map((_one, n) => `k${n + 1}`));
    for (const { headers } of letters) expect(String(headers.origin)).toBe('upstream');
    expect(front.asked.filter((path) => path.endsWith('2000000000'))).toHaveLength(1);
  });
});

describe('a registry that fails', () => {
  it('pauses the loop and makes nothing poison; when it answers again, everything is read', async () => {
    const writer = await foreignWriter();
    await publishValues([await writer.registry.encode(writer.ours, { id: '1', lines: [] }), withId(2_000_000_000, 0)]);
    front.fails = true;
    const events: Placed[] = [];
    const group = await run(events);
    await waitFor('the pause', () => loop?.health().pausedReason?.startsWith('OMS_REGISTRY_UNAVAILABLE'));
    await expect(world.committed(group, topic)).resolves.toEqual([-1n]);
    await expect(world.log(deadLetters)).resolves.toEqual([]);
    front.fails = false;
    await waitFor('the commit', async () => (await world.committed(group, topic))[0] === 2n);
    expect(events).toEqual([{ id: '1', lines: [] }]);
    await expect(world.log(deadLetters)).resolves.toHaveLength(1);
  });
});

describe('our codec', () => {
  it('writes what another registry client reads', async () => {
    const writer = await foreignWriter();
    const codec = createCodec({
      registry: createRegistry({ url: testEnvironment().SCHEMA_REGISTRY_URL }),
      schemas: [{ topic, schema }],
    });
    await codec.load();
    const bytes = codec.encode(topic, { id: 'ü', lines: ['1', '2'] });
    expect(bytes.readUInt32BE(1)).toBe(writer.ours);
    await expect(writer.registry.decode(bytes)).resolves.toMatchObject({ id: 'ü', lines: ['1', '2'] });
  });

  it('finds no id for a schema that was not registered', async () => {
    const codec = createCodec({
      registry: createRegistry({ url: testEnvironment().SCHEMA_REGISTRY_URL }),
      schemas: [{ topic: 'test-unregistered', schema }],
    });
    await expect(codec.load()).rejects.toMatchObject({ code: 'OMS_REGISTRY_SCHEMA_MISSING' });
  });
});
