import { beforeEach, describe, expect, it } from '@jest/globals';
import { OmsError, isOmsError } from '../../domain/errors.ts';
import { avroType, firstMisfit } from '../../kafka/codec/avro.ts';
import { createCodec, withHeader } from '../../kafka/codec/codec.ts';
import type { Codec, DecodeResult } from '../../kafka/codec/codec.ts';
import type { RegisteredSchema, RegistryPort } from '../../kafka/codec/registry.ts';

const ours = {
  type: 'record',
  name: 'Placed',
  namespace: 'test',
  fields: [
    { name: 'id', type: 'string' },
    {
      name: 'lines',
      type: { type: 'array', items: { type: 'record', name: 'Line', fields: [{ name: 'sku', type: 'string' }] } },
    },
    {
      name: 'kind',
      type: { type: 'enum', name: 'Kind', symbols: ['Unknown', 'A'], default: 'Unknown' },
      default: 'Unknown',
    },
    { name: 'note', type: ['null', 'string'], default: null },
  ],
} as const;

const value = { id: '1', lines: [{ sku: 'x' }], kind: 'A', note: null };
const OUR_ID = 7;

/** A registry in memory that counts what it is asked. */
function memoryRegistry(): RegistryPort & { schemas: Map<number, RegisteredSchema>; asked: number[]; down: boolean } {
  const registry = {
    schemas: new Map<number, RegisteredSchema>([[OUR_ID, { kind: 'avro', type: avroType(ours) }]]),
    asked: [] as number[],
    down: false,
    schemaById: async (id: number) => {
      registry.asked.push(id);
      if (registry.down) throw new OmsError('OMS_REGISTRY_UNAVAILABLE', 'down');
      return registry.schemas.get(id);
    },
    idOf: async (subject: string) => (subject === 'orders-value' ? OUR_ID : undefined),
  };
  return registry;
}

let registry: ReturnType<typeof memoryRegistry>;
let codec: Codec;
let now: number;

beforeEach(async () => {
  registry = memoryRegistry();
  now = 1_000_000;
  codec = createCodec({
    registry,
    schemas: [
      { topic: 'orders', schema: ours },
      { topic: 'other', schema: { ...ours, name: 'Other' } },
    ],
    unknownIdTtlMs: 30_000,
    now: () => now,
  });
  await codec.load(['orders']);
});

const decodeOne = async (bytes: Buffer | null, topic = 'orders'): Promise<DecodeResult> => {
  const [result] = await codec.decodeBatch(topic, [bytes]);
  if (!result) throw new Error('no result');
  return result;
};
const poisonCode = async (bytes: Buffer | null, topic?: string): Promise<string> => {
  const result = await decodeOne(bytes, topic);
  return result.kind === 'poison' ? result.error.code : 'event';
};
const written = (id: number, schema: object, record: unknown): Buffer => {
  const type = avroType(schema);
  registry.schemas.set(id, { kind: 'avro', type });
  return withHeader(id, type.toBuffer(record));
};

describe('A field that does not fit', () => {
  it('is told with the words it may be', () => {
    const symbols = ['booked', 'lost'];
    const fields = [{ name: 'status', type: { type: 'enum', name: 'Status', symbols } }];
    const wrong = firstMisfit(avroType({ type: 'record', name: 'News', fields }), { status: 'Booked' });
    expect(wrong).toEqual({ field: 'status', value: 'Booked', rule: 'must be one of booked, lost' });
  });
});

describe('encode', () => {
  it('writes the magic byte, the registered id and the record', async () => {
    const bytes = codec.encode('orders', value);
    expect([bytes[0], bytes.readUInt32BE(1)]).toEqual([0, OUR_ID]);
    await expect(decodeOne(bytes)).resolves.toEqual({
      kind: 'event',
      writerSchemaId: OUR_ID,
      fullName: 'test.Placed',
      value,
    });
  });

  it('names the field that does not fit', () => {
    const encode = (): Buffer => codec.encode('orders', { ...value, lines: [{ sku: 'x' }, { sku: 5 }] });
    expect(encode).toThrow('lines.1.sku is 5: must be string');
    expect(encode).toThrow(expect.objectContaining({ code: 'OMS_INGEST_FIELD_INVALID' }));
  });

  it('refuses to work without a schema id', () => {
    expect(() => codec.encode('other', value)).toThrow('call load() first');
  });
});

describe('load', () => {
  it('names the remedy when our schema is not registered, and registers nothing itself', async () => {
    await expect(codec.load(['other'])).rejects.toMatchObject({
      code: 'OMS_REGISTRY_SCHEMA_MISSING',
      message: expect.stringContaining('oms setup') as unknown,
    });
  });
});

describe('decode', () => {
  it.each([
    ['no value', null, 'OMS_INGEST_VALUE_EMPTY'],
    ['zero bytes', Buffer.alloc(0), 'OMS_INGEST_VALUE_EMPTY'],
    ['four bytes', Buffer.alloc(4), 'OMS_INGEST_NOT_AVRO'],
    ['JSON', Buffer.from('{"id":"1"}'), 'OMS_INGEST_NOT_AVRO'],
    ['a magic byte of another format', Buffer.from([1, 0, 0, 0, OUR_ID, 0]), 'OMS_INGEST_NOT_AVRO'],
    ['a header without a record', Buffer.from([0, 0, 0, 0, OUR_ID]), 'OMS_INGEST_AVRO_CORRUPT'],
    [
      'an array of billions',
      Buffer.from([0, 0, 0, 0, OUR_ID, 2, 49, 0xfe, 0xff, 0xff, 0xff, 0x1f]),
      'OMS_INGEST_AVRO_CORRUPT',
    ],
  ])('takes %s for poison', async (_what, bytes, code) => {
    await expect(poisonCode(bytes)).resolves.toBe(code);
  });

  it('takes truncated and trailing bytes for poison', async () => {
    const bytes = codec.encode('orders', value);
    await expect(poisonCode(bytes.subarray(0, -1))).resolves.toBe('OMS_INGEST_AVRO_CORRUPT');
    await expect(poisonCode(Buffer.concat([bytes, Buffer.from([1])]))).resolves.toBe('OMS_INGEST_AVRO_CORRUPT');
  });

  it('reads what an older schema wrote, with our defaults', async () => {
    const older = { ...ours, fields: ours.fields.slice(0, 2) };
    const result = await decodeOne(written(8, older, { id: '1', lines: [] }));
    expect(result).toMatchObject({ writerSchemaId: 8, value: { id: '1', lines: [], kind: 'Unknown', note: null } });
  });

  it('reads what a newer schema wrote, without what it does not know', async () => {
    const [id, lines, , note] = ours.fields;
    const kind = {
      name: 'kind',
      type: { type: 'enum', name: 'Kind', symbols: ['Unknown', 'A', 'B'], default: 'Unknown' },
    };
    const newer = { ...ours, fields: [{ name: 'extra', type: 'long' }, id, lines, kind, note] };
    const result = await decodeOne(written(9, newer, { ...value, extra: 5, kind: 'B' }));
    expect(result).toMatchObject({ value: { ...value, kind: 'Unknown' } });
  });

  it('takes a record of another name for poison, although its fields would fit', async () => {
    await expect(poisonCode(written(10, { ...ours, name: 'Foreign' }, value))).resolves.toBe(
      'OMS_INGEST_SCHEMA_FOREIGN',
    );
  });

  it('judges the same schema by the topic it is on', async () => {
    const bytes = codec.encode('orders', value);
    await expect(poisonCode(bytes)).resolves.toBe('event');
    await expect(poisonCode(bytes, 'other')).resolves.toBe('OMS_INGEST_SCHEMA_FOREIGN');
  });

  it('takes a schema that does not resolve into ours for poison', async () => {
    const changed = { ...ours, fields: [{ name: 'id', type: 'long' }] };
    await expect(poisonCode(written(11, changed, { id: 5 }))).resolves.toBe('OMS_INGEST_SCHEMA_FOREIGN');
  });

  it('takes a schema that is not Avro for poison', async () => {
    registry.schemas.set(12, { kind: 'other', reason: 'it is not an Avro schema' });
    await expect(poisonCode(withHeader(12, Buffer.from('{}')))).resolves.toBe('OMS_INGEST_SCHEMA_FOREIGN');
  });

  it('must have the id prefetched when it is called alone', () => {
    expect(() => codec.decode('orders', withHeader(99, Buffer.alloc(1)))).toThrow('was not prefetched');
  });
});

describe('the registry', () => {
  const unknown = withHeader(404, Buffer.alloc(3));

  it('is asked once for an id, however many values carry it', async () => {
    const bytes = codec.encode('orders', value);
    await Promise.all([codec.decodeBatch('orders', [bytes, bytes]), codec.decodeBatch('orders', [bytes])]);
    await codec.decodeBatch('orders', [bytes]);
    expect(registry.asked).toEqual([OUR_ID]);
  });

  it('is not asked again for an unknown id until some time has passed', async () => {
    for (let n = 0; n < 50; n++) await expect(poisonCode(unknown)).resolves.toBe('OMS_INGEST_SCHEMA_UNKNOWN');
    expect(registry.asked).toEqual([404]);
    now += 30_001;
    await poisonCode(unknown);
    expect(registry.asked).toEqual([404, 404]);
  });

  it('may come to know an id it did not know', async () => {
    await poisonCode(withHeader(8, Buffer.alloc(3)));
    const bytes = written(8, ours, value);
    now += 30_001;
    await expect(decodeOne(bytes)).resolves.toMatchObject({ kind: 'event', value });
  });

  it('that is down stops the batch with a retryable error and makes nothing poison', async () => {
    registry.down = true;
    const failure: unknown = await codec.decodeBatch('orders', [null, unknown]).catch((error: unknown) => error);
    expect(isOmsError(failure) && [failure.code, failure.retryable]).toEqual(['OMS_REGISTRY_UNAVAILABLE', true]);
    registry.down = false;
    await expect(poisonCode(unknown)).resolves.toBe('OMS_INGEST_SCHEMA_UNKNOWN');
  });

  it('that is down does not matter for schemas known already', async () => {
    const bytes = codec.encode('orders', value);
    await codec.prefetch([bytes]);
    registry.down = true;
    await expect(decodeOne(bytes)).resolves.toMatchObject({ kind: 'event' });
  });
});
