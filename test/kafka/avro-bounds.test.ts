import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createBoundsCheck } from '../../kafka/codec/avro-bounds.ts';
import { avroType } from '../../kafka/codec/avro.ts';
import { TOPICS } from '../../kafka/topics.ts';

const kitchenSink = avroType({
  type: 'record',
  name: 'Everything',
  fields: [
    { name: 'nothing', type: 'null' },
    { name: 'flag', type: 'boolean' },
    { name: 'small', type: 'int' },
    { name: 'large', type: 'long' },
    { name: 'half', type: 'float' },
    { name: 'whole', type: 'double' },
    { name: 'raw', type: 'bytes' },
    { name: 'text', type: 'string' },
    { name: 'four', type: { type: 'fixed', name: 'Four', size: 4 } },
    { name: 'choice', type: { type: 'enum', name: 'Choice', symbols: ['A', 'B'] } },
    { name: 'list', type: { type: 'array', items: 'long' } },
    { name: 'table', type: { type: 'map', values: 'string' } },
    { name: 'maybe', type: ['null', 'string', { type: 'array', items: 'string' }] },
    { name: 'when', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'next', type: ['null', 'Everything'] },
  ],
});

describe('bounds check', () => {
  it.each(TOPICS.flatMap(({ kind, schema }) => (schema ? [[kind, schema] as const] : [])))(
    'lets every well-formed record of %s pass',
    (_kind, schema) => {
      const type = avroType(schema);
      const check = createBoundsCheck(type);
      for (let n = 0; n < 200; n++) expect(() => check(type.toBuffer(type.random()), 0)).not.toThrow();
    },
  );

  it('lets well-formed values of every Avro type pass', () => {
    const check = createBoundsCheck(kitchenSink);
    for (let n = 0; n < 300; n++) expect(() => check(kitchenSink.toBuffer(kitchenSink.random()), 0)).not.toThrow();
  });

  it('refuses every truncation and every trailing byte', () => {
    const check = createBoundsCheck(kitchenSink);
    const bytes = kitchenSink.toBuffer(kitchenSink.random());
    for (let size = 0; size < bytes.length; size++) expect(() => check(bytes.subarray(0, size), 0)).toThrow(RangeError);
    expect(() => check(Buffer.concat([bytes, Buffer.from([0])]), 0)).toThrow('1 bytes follow the record');
  });

  it.each([
    ['an array that claims billions of items', [0xfe, 0xff, 0xff, 0xff, 0x1f, 0x00]],
    ['a negative count with a huge size', [0xfd, 0xff, 0xff, 0xff, 0x1f, 0x02, 0x00]],
    ['a number without an end', Array.from({ length: 12 }, () => 0xff)],
  ])('refuses %s', (_what, bytes) => {
    const check = createBoundsCheck(avroType({ type: 'array', items: 'string' }));
    expect(() => check(Buffer.from(bytes), 0)).toThrow(RangeError);
  });

  it('takes only what avsc can decode, whatever the bytes', () => {
    const check = createBoundsCheck(kitchenSink);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (garbage) => {
        const bytes = Buffer.from(garbage);
        try {
          check(bytes, 0);
        } catch {
          return;
        }
        try {
          kitchenSink.fromBuffer(bytes);
        } catch (error) {
          // Numbers beyond 2^53 pass the bounds and are refused by avsc itself.
          expect(String(error)).toContain('precision');
        }
      }),
      { numRuns: 5_000 },
    );
  });
});
