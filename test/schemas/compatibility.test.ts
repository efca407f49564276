import { describe, expect, it } from '@jest/globals';
import { TOPICS } from '../../kafka/topics.ts';
import { currentSchemas, incompatibilities, releasedSchemas, styleFaults } from '../../tools/schema-gate.ts';
import type { AvscSchema, Direction } from '../../tools/schema-gate.ts';

const current = currentSchemas();
const released = releasedSchemas();

/** The direction a schema must keep follows from the level its subject has. */
function directionOf(schema: AvscSchema): Direction {
  const topic = TOPICS.find((one) => one.schema?.name === schema.name);
  if (!topic?.compatibility) throw new Error(`no topic carries ${schema.name}`);
  return topic.compatibility === 'FULL_TRANSITIVE' ? 'full' : 'backward';
}

function schemaOf(name: string): AvscSchema {
  const schema = current.get(name);
  if (!schema) throw new Error(`no schema ${name}`);
  return structuredClone(schema);
}

describe('each schema', () => {
  const pairs = [...released].flatMap(([version, schemas]) =>
    [...schemas].map(([name, schema]) => ({ version, name, schema })),
  );

  it.each(pairs)('$name may follow its release $version', ({ name, schema }) => {
    expect(incompatibilities(schemaOf(name), schema, directionOf(schema))).toEqual([]);
  });

  it('has been released at least once, and none has vanished', () => {
    const names = new Set(pairs.map(({ name }) => name));
    expect([...names].sort()).toEqual([...current.keys()].sort());
  });

  it.each([...current])('%s documents every field and type, and has the defaults that let it grow', (_name, schema) => {
    expect(styleFaults(schema)).toEqual([]);
  });
});

describe('the gate', () => {
  it('refuses a new required field in what we read', () => {
    const grown = schemaOf('order-event');
    grown.fields.push({ name: 'channel', type: 'string' });
    expect(incompatibilities(grown, schemaOf('order-event'), 'backward')).toHaveLength(1);
  });

  it('accepts a new payload on orders, which only we read, and refuses it where others read', () => {
    const grown = schemaOf('order-event');
    const payload = grown.fields.find(({ name }) => name === 'payload');
    (payload?.type as unknown[]).push({ type: 'record', name: 'ReturnRequested', fields: [] });
    expect(incompatibilities(grown, schemaOf('order-event'), 'backward')).toEqual([]);
    expect(incompatibilities(grown, schemaOf('order-event'), 'full')).toHaveLength(1);
  });

  it('accepts a new optional field and a new enum symbol in what we publish', () => {
    const grown = schemaOf('shipment-event');
    grown.fields.push({ name: 'weight', type: ['null', 'int'], default: null });
    const type = grown.fields.find(({ name }) => name === 'type')?.type as { symbols: string[] };
    type.symbols.push('ShipmentWeighed');
    expect(incompatibilities(grown, schemaOf('shipment-event'), 'full')).toEqual([]);
  });

  it('refuses to take a required field from what we publish', () => {
    const shrunk = schemaOf('invoice-event');
    shrunk.fields = shrunk.fields.filter(({ name }) => name !== 'total');
    expect(incompatibilities(shrunk, schemaOf('invoice-event'), 'full')).toHaveLength(1);
  });

  it('names what is missing in a badly written schema', () => {
    const bad = {
      type: 'record',
      name: 'Bad',
      doc: 'Bad.',
      fields: [
        { name: 'silent', type: 'string' },
        { name: 'late', type: ['string', 'null'], doc: 'Late.' },
        { name: 'kind', type: { type: 'enum', name: 'Kind', doc: 'Kind.', symbols: ['A'] }, doc: 'Kind.' },
      ],
    };
    expect(styleFaults(bad)).toEqual([
      'Bad.silent has no doc',
      'Bad.late must be ["null", T] with default null',
      'Bad.kind.Kind has no default symbol',
    ]);
  });
});
