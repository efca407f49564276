import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import kafkajs from 'kafkajs';
import { createKafka } from '../../kafka/client/client.ts';
import { avroType } from '../../kafka/codec/avro.ts';
import { withHeader } from '../../kafka/codec/codec.ts';
import { createRegistryAdmin } from '../../operations/setup/subjects.ts';
import type { TopicRecord } from '../../operations/topics/tail.ts';
import { orderEventSchema } from '../../schemas/index.ts';
import type { OrderEvent } from '../../schemas/index.ts';
import { createIngestWorld } from '../helpers/ingest-world.ts';
import type { Incoming, IngestWorld } from '../helpers/ingest-world.ts';
import { startIngest } from '../helpers/ingests.ts';
import type { IngestHere } from '../helpers/ingests.ts';
import { address, amended, cancelled, customerAction, item, placed } from '../helpers/order-events.ts';
import { silent } from '../helpers/order-world.ts';

let world: IngestWorld;
let ingest: IngestHere;
let foreignId: number;
let laterId: number;

const foreignSchema = { type: 'record', name: 'Invoice', namespace: 'others', fields: [{ name: 'n', type: 'int' }] };

/** Our schema with one more payload, as a later version of it may have. */
function laterSchema(): Record<string, unknown> {
  const later = structuredClone(orderEventSchema) as unknown as { fields: { name: string; type: unknown }[] };
  const payload = later.fields.find((field) => field.name === 'payload')?.type as unknown[];
  payload.push({ type: 'record', name: 'ReturnRequested', fields: [{ name: 'why', type: 'string' }] });
  return later;
}

async function register(subject: string, schema: Record<string, unknown>): Promise<number> {
  const registry = createRegistryAdmin(world.environment.SCHEMA_REGISTRY_URL ?? '');
  await registry.register(subject, schema);
  const id = await registry.idOf(subject, schema);
  if (id === undefined) throw new Error(`${subject} is not registered`);
  return id;
}

beforeAll(async () => {
  world = await createIngestWorld();
  foreignId = await register(`${world.topics.orders}-others-${randomUUID()}`, foreignSchema);
  laterId = await register(`${world.topics.orders}-value`, laterSchema());
  ingest = await startIngest(world);
});
afterAll(async () => {
  await ingest.stop();
  await world.drop();
});

interface Refused {
  code: string;
  field: string;
  value: RegExp;
  rule: RegExp;
}

const field = (name: string, value: RegExp, rule: RegExp): Refused => ({
  code: 'OMS_INGEST_FIELD_INVALID',
  field: name,
  value,
  rule,
});
const wire = (code: string, value: RegExp, rule: RegExp): Refused => ({ code, field: 'value', value, rule });
const keyed = (event: OrderEvent): Incoming => ({ key: event.orderId, value: world.encode(event) });
const changed = (id: string, fields: Partial<OrderEvent>): Incoming => keyed({ ...placed(id), ...fields });

/** Every class of record that cannot be taken: what is produced (given an order id of its own), and how it is refused. */
const CLASSES: [what: string, make: (id: string) => Incoming, refused: Refused][] = [
  [
    'null, a tombstone',
    (id) => ({ key: id, value: null }),
    wire('OMS_INGEST_VALUE_EMPTY', /^null$/, /hold what its topic carries/),
  ],
  [
    'zero bytes',
    (id) => ({ key: id, value: Buffer.alloc(0) }),
    wire('OMS_INGEST_VALUE_EMPTY', /0 bytes/, /hold what its topic/),
  ],
  [
    'another magic byte',
    (id) => ({ key: id, value: Buffer.from([1, 0, 0, 0, 1, 9]) }),
    wire('OMS_INGEST_NOT_AVRO', /^01 00 00 00 01 09 \(6 bytes\)/, /byte 0/),
  ],
  ['plain JSON', (id) => ({ key: id, value: Buffer.from('{"a":1}') }), wire('OMS_INGEST_NOT_AVRO', /^7b 22/, /byte 0/)],
  [
    'a schema id the registry does not know',
    (id) => ({ key: id, value: withHeader(987_654_321, Buffer.from('x')) }),
    wire('OMS_INGEST_SCHEMA_UNKNOWN', /^00 3a de/, /registry knows/),
  ],
  [
    "another team's schema",
    (id) => ({ key: id, value: withHeader(foreignId, avroType(foreignSchema).toBuffer({ n: 1 })) }),
    wire('OMS_INGEST_SCHEMA_FOREIGN', /^00 /, /schema of this topic/),
  ],
  [
    'truncated Avro',
    (id) => ({ key: id, value: world.encode(placed(id)).subarray(0, -4) }),
    wire('OMS_INGEST_AVRO_CORRUPT', /^00 /, /complete Avro record/),
  ],
  [
    'bytes after the record',
    (id) => ({ key: id, value: Buffer.concat([world.encode(placed(id)), Buffer.from('more')]) }),
    wire('OMS_INGEST_AVRO_CORRUPT', /^00 /, /complete Avro record/),
  ],
  [
    'more than 1 MB',
    (id) => keyed(placed(id, { items: [item('A', { description: 'x'.repeat(1_100_000) })] })),
    wire('OMS_INGEST_TOO_LARGE', /1,100,\d{3} bytes/, /at most 1,000,000 bytes/),
  ],
  [
    'a payload of a later schema',
    (id) => {
      const payload = { 'oms.ReturnRequested': { why: 'too small' } };
      return { key: id, value: withHeader(laterId, avroType(laterSchema()).toBuffer({ ...placed(id), payload })) };
    },
    { code: 'OMS_INGEST_PAYLOAD_UNKNOWN', field: 'payload', value: /oms.ReturnRequested/, rule: /OrderPlaced, / },
  ],
  [
    'no key',
    (id) => ({ key: null, value: world.encode(placed(id)) }),
    { code: 'OMS_INGEST_KEY_MISSING', field: 'key', value: /^null$/, rule: /the order id/ },
  ],
  [
    'an empty key',
    (id) => ({ key: '', value: world.encode(placed(id)) }),
    { code: 'OMS_INGEST_KEY_MISSING', field: 'key', value: /^""$/, rule: /the order id/ },
  ],
  [
    'a key that is another order id',
    (id) => ({ key: `${id}-other`, value: world.encode(placed(id)) }),
    { code: 'OMS_INGEST_KEY_MISMATCH', field: 'key', value: /-other/, rule: /the order id/ },
  ],
  [
    'a key that is no text',
    (id) => ({ key: Buffer.from([0xff, 0x00, 0xfe]), value: world.encode(placed(id)) }),
    { code: 'OMS_INGEST_KEY_MISMATCH', field: 'key', value: /\\u0000/, rule: /the order id/ },
  ],
  ['an empty order id', (id) => ({ ...changed(id, { orderId: '' }), key: id }), field('orderId', /^""$/, /1 to 128/)],
  [
    'an order id with control characters',
    (id) => changed(id, { orderId: `${id}\u0000\n` }),
    field('orderId', /\\u0000\\n/, /A-Z/),
  ],
  [
    'an order id of 1,001 characters',
    (id) => changed(id, { orderId: 'x'.repeat(1_001) }),
    field('orderId', /xxx…/, /1 to 128/),
  ],
  ['an order id beyond ASCII', (id) => changed(id, { orderId: `${id}-🎁` }), field('orderId', /🎁/, /1 to 128/)],
  ['an empty event id', (id) => changed(id, { eventId: '' }), field('eventId', /^""$/, /1 to 200/)],
  [
    'an event id with a control character',
    (id) => changed(id, { eventId: 'a\u0000' }),
    field('eventId', /\\u0000/, /control/),
  ],
  [
    'an event id that is too long',
    (id) => changed(id, { eventId: 'e'.repeat(201) }),
    field('eventId', /eee…/, /1 to 200/),
  ],
  ['an empty source', (id) => changed(id, { source: '' }), field('source', /^""$/, /1 to 100/)],
  ['a time before 1970', (id) => changed(id, { occurredAt: -5 }), field('occurredAt', /^-5$/, /since 1970/)],
  [
    'a time past all calendars',
    (id) => changed(id, { occurredAt: 9e15 }),
    field('occurredAt', /9{1}0{15}/, /year 9999/),
  ],
  ['a negative sequence', (id) => changed(id, { sequence: -1 }), field('sequence', /^-1$/, /whole number/)],
  ['no customer', (id) => keyed(placed(id, { customerId: '' })), field('payload.customerId', /^""$/, /1 to 128/)],
  ['a bad currency', (id) => keyed(placed(id, { currency: 'GB£' })), field('payload.currency', /GB£/, /ISO 4217/)],
  ['no items', (id) => keyed(placed(id, { items: [] })), field('payload.items', /^0$/, /1 to 5,000 lines/)],
  [
    'more than 5,000 items',
    (id) => keyed(placed(id, { items: Array.from({ length: 5_001 }, (_, i) => item(`S${i}`)) })),
    field('payload.items', /^5001$/, /1 to 5,000 lines/),
  ],
  ['an empty SKU', (id) => keyed(placed(id, { items: [item('')] })), field('payload.items[0].sku', /^""$/, /1 to 128/)],
  [
    'a quantity of zero',
    (id) => keyed(placed(id, { items: [item(), item('B', { quantity: 0 })] })),
    field('payload.items[1].quantity', /^0$/, /from 1 to/),
  ],
  [
    'a negative quantity',
    (id) => keyed(placed(id, { items: [item('A', { quantity: -12 })] })),
    field('payload.items[0].quantity', /^-12$/, /from 1 to/),
  ],
  [
    'a negative unit price',
    (id) => keyed(placed(id, { items: [item('A', { unitPrice: -1 })] })),
    field('payload.items[0].unitPrice', /^-1$/, /from 0 to/),
  ],
  [
    'a value no invoice can hold',
    (id) => keyed(placed(id, { items: [item('A', { unitPrice: 1e15, quantity: 2 })] })),
    field('payload.items', /^2000000000000000$/, /minor units in all/),
  ],
  [
    'text no database can hold',
    (id) => keyed(placed(id, { items: [item('A', { description: 'a\u0000b' })], shipTo: address })),
    field('payload.items[0].description', /a\\u0000b/, /U\+0000/),
  ],
  [
    "another order's fulfillment",
    (id) => keyed(cancelled(id, { fulfillmentId: `${id}x:1` })),
    field('payload.fulfillmentId', /x:1/, /fulfillment of this order/),
  ],
  [
    'an unknown customer action',
    (id) => keyed(customerAction(id, 'Unknown')),
    field('payload.action', /Unknown/, /Amend or Cancel/),
  ],
  ['an amendment of nothing', (id) => keyed(amended(id)), field('payload', /items/, /items, shipTo or both/)],
];

describe('a record that cannot be taken', () => {
  let letters: TopicRecord[];
  const produced = new Map<string, Incoming>();

  beforeAll(async () => {
    const records = CLASSES.flatMap(([what, make], i) => {
      const record = make(world.id(`bad-${i}`));
      produced.set(what, record);
      return [record, placed(world.id(`next-${i}`))];
    });
    for (const record of records) await world.produce(record);
    await world.untilRead();
    letters = await world.deadLetters();
  });

  it.each(CLASSES)('for %s is a dead letter that names field, value and rule', (what, _make, refused) => {
    const i = CLASSES.findIndex(([name]) => name === what);
    const letter = letters.find(({ headers }) => headers['oms-dlq-original-offset'] === String(2 * i));
    expect(letter?.headers).toMatchObject({
      'oms-dlq-original-topic': world.topics.orders,
      'oms-dlq-original-partition': '0',
      'oms-dlq-error-code': refused.code,
      'oms-dlq-error-field': refused.field,
      'oms-dlq-error-value': expect.stringMatching(refused.value) as unknown,
      'oms-dlq-error-rule': expect.stringMatching(refused.rule) as unknown,
    });
  });

  it.each(CLASSES)('for %s keeps its key and every byte of its value', (what) => {
    const i = CLASSES.findIndex(([name]) => name === what);
    const letter = letters.find(({ headers }) => headers['oms-dlq-original-offset'] === String(2 * i));
    const record = produced.get(what) as { key: string | Buffer | null; value: Buffer | null };
    const hex = (bytes: string | Buffer | null | undefined): string | null | undefined =>
      bytes === null || bytes === undefined ? bytes : Buffer.from(bytes).toString('hex');
    expect({ key: hex(letter?.key), value: hex(letter?.value) }).toEqual({
      key: hex(record.key),
      value: hex(record.value),
    });
  });

  it('does not stop the records behind it', async () => {
    for (const i of CLASSES.keys())
      expect(await world.ledger(world.id(`next-${i}`))).toMatchObject({ state: 'started' });
    expect(letters).toHaveLength(CLASSES.length);
    expect(ingest.failures).toEqual([]);
  });

  it('starts no workflow and leaves no trace in the ledger', async () => {
    for (const i of CLASSES.keys()) expect(await world.ledger(world.id(`bad-${i}`))).toBeUndefined();
  });

  it('is counted by its code', async () => {
    expect(await ingest.metricsText()).toMatch(/oms_dead_letters_total{code="OMS_INGEST_KEY_MISSING",role="ingest"} 2/);
  });
});

describe('an unusual record that can be taken', () => {
  it('was written with a later schema, in a payload we know', async () => {
    const id = world.id('later');
    const value = withHeader(laterId, avroType(laterSchema()).toBuffer(placed(id)));
    await world.produce({ key: id, value });
    await world.untilRead();
    expect(await world.ledger(id)).toMatchObject({ state: 'started' });
  });

  it.each(['GZIP', 'Snappy', 'LZ4', 'ZSTD'] as const)('is compressed with %s', async (name) => {
    const id = world.id(`compressed-${name}`);
    const brokers = (world.environment.KAFKA_BROKERS ?? '').split(',');
    const producer = createKafka({ brokers, clientId: 'test', logger: silent }).producer();
    await producer.connect();
    const messages = [1, 2, 3].map((n) => ({
      key: `${id}-${n}`,
      value: world.encode(placed(`${id}-${n}`)),
      partition: 0,
    }));
    await producer.send({ topic: world.topics.orders, messages, compression: kafkajs.CompressionTypes[name] });
    await producer.disconnect();
    await world.untilRead();
    for (const n of [1, 2, 3]) expect(await world.ledger(`${id}-${n}`)).toMatchObject({ state: 'started' });
  });

  it('has 50 headers, some of them twice, and keeps them as a dead letter', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 50 }, (_, n) => [`h-${n}`, n % 2 ? `${n}` : [`${n}`, 'again']]),
    );
    const id = world.id('headers');
    await world.produce({ ...keyed(placed(id)), headers: many });
    await world.produce({ key: id, value: Buffer.from('bad'), headers: { ...many, 'oms-dlq-error-code': 'OLD' } });
    await world.untilRead();
    expect(await world.ledger(id)).toMatchObject({ state: 'started' });
    const letter = (await world.deadLetters()).find(({ value }) => value?.toString() === 'bad');
    expect(Object.keys(letter?.headers ?? {}).filter((name) => name.startsWith('h-'))).toHaveLength(50);
    expect(letter?.headers['oms-dlq-error-code']).toBe('OMS_INGEST_NOT_AVRO');
  });
});
