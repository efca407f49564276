import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import kafkajs from 'kafkajs';
import { registerCompression } from '../../kafka/codec/compression.ts';
import { parseBatch, parseRecords } from '../helpers/kafka-wire.ts';

/** Record batches as brokers store them, written by Java's producer 4.1.0 and by librdkafka 2.16 (confluent-kafka). */
const FIXTURES = [
  'java-gzip',
  'java-snappy',
  'java-lz4',
  'java-zstd',
  'rdkafka-gzip',
  'rdkafka-snappy',
  'rdkafka-lz4',
  'rdkafka-zstd',
];

const codecs = (): Record<
  number,
  () => { compress(e: { buffer: Buffer }): Promise<Buffer>; decompress(b: Buffer): Promise<Buffer> }
> => kafkajs.CompressionCodecs;
const codecOf = (type: number): ReturnType<ReturnType<typeof codecs>[number]> => {
  const make = codecs()[type];
  if (!make) throw new Error(`no codec ${type}`);
  return make();
};

beforeAll(registerCompression);

describe('records of other clients', () => {
  it.each(FIXTURES)('compressed by %s are read', async (name) => {
    const batch = parseBatch(readFileSync(new URL(`fixtures/${name}.bin`, import.meta.url)));
    const records = parseRecords(await codecOf(batch.compression).decompress(batch.records), batch.count);
    expect(records).toHaveLength(300);
    expect(records.map(({ key }) => key)).toEqual(Array.from({ length: 300 }, (_, n) => `k${n}`));
    for (const { value } of records) expect(value).toMatch(/^([a-z]+ ?){60}$/);
  });
});

describe('our own compression', () => {
  it.each([
    ['gzip', 1],
    ['snappy', 2],
    ['lz4', 3],
    ['zstd', 4],
  ])('with %s is read back', async (_name, type) => {
    const buffer = Buffer.from('order '.repeat(50_000));
    const packed = await codecOf(type).compress({ buffer });
    expect(packed.length).toBeLessThan(buffer.length);
    expect((await codecOf(type).decompress(packed)).equals(buffer)).toBe(true);
  });
});

describe('a damaged snappy frame', () => {
  it('is refused', async () => {
    const batch = parseBatch(readFileSync(new URL('fixtures/java-snappy.bin', import.meta.url)));
    await expect(codecOf(2).decompress(batch.records.subarray(0, -10))).rejects.toThrow('runs past its frame');
  });
});
