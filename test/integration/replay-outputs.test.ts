import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Message } from 'kafkajs';
import { createKafka } from '../../kafka/client/client.ts';
import { REPLAY_HEADER } from '../../kafka/headers.ts';
import { createCarrierTopicWorld } from '../helpers/carrier-topic-world.ts';
import type { CarrierTopicWorld } from '../helpers/carrier-topic-world.ts';
import { silent } from '../helpers/order-world.ts';
import { plan, run, runUntilProgress } from '../helpers/replays.ts';
import { testEnvironment } from '../helpers/stack.ts';
import { createTopic } from '../helpers/topics.ts';

let world: CarrierTopicWorld;
let produce: (topic: string, messages: Message[]) => Promise<void>;
let close: () => Promise<void>;
let orders: string[];

beforeAll(async () => {
  world = await createCarrierTopicWorld();
  const kafka = createKafka({
    ...{ brokers: testEnvironment().KAFKA_BROKERS.split(','), clientId: 'test', logger: silent, retries: 10 },
  });
  const [admin, producer] = [kafka.admin(), kafka.producer({ allowAutoTopicCreation: false })];
  await Promise.all([admin.connect(), producer.connect()]);
  for (const kind of ['shipments', 'invoices', 'deliveries', 'order-status'])
    await createTopic(admin, { topic: world.prefix + kind, numPartitions: 1 });
  produce = async (topic, messages) => void (await producer.send({ topic: world.prefix + topic, messages }));
  close = async () => void (await Promise.all([admin.disconnect(), producer.disconnect()]));
  orders = await Promise.all([world.booked(), world.booked(), world.booked()]);
  for (const id of orders) for (const n of [1, 2]) await world.news(`${id}:${n}`, 'delivered');
});
afterAll(async () => {
  await close();
  await world.drop();
});

/** The order's events of a topic, as the publisher sends them. */
async function events(orderId: string | undefined, topic: string): Promise<(Message & { id: string })[]> {
  const rows = world.db
    .selectFrom('outbox')
    .selectAll()
    .where('order_id', '=', orderId ?? '')
    .where('topic', '=', topic);
  return (await rows.orderBy('version').execute()).map((row) => ({
    ...{ id: row.event_id, key: row.key, value: row.value, headers: row.headers },
  }));
}

const validate = async (from: string, options = {}) => {
  const { replayId, planned } = await plan(world.environment, { mode: 'validate', options: { from, ...options } });
  const { tallies, effects } = await run(world.environment, replayId);
  expect({ tallies, effects }).toEqual({ tallies: planned?.tallies, effects: {} });
  return { tallies, samples: planned?.samples ?? {} };
};

describe('events on a topic of ours', () => {
  it('are compared with the outbox one by one, and with those of their order', async () => {
    const [whole, holed, again] = await Promise.all(orders.map((id) => events(id, 'shipments')));
    const at = (list: typeof whole, n: number) => list?.[n - 1] ?? { id: '', value: null };
    expect(whole?.length).toBeGreaterThanOrEqual(4);
    const headers = { ...at(again, 1).headers, [REPLAY_HEADER]: 'r' };
    await produce('shipments', [
      ...(whole ?? []),
      at(whole, 2),
      at(holed, 1),
      at(holed, 3),
      at(holed, 2),
      at(again, 2),
      { ...at(again, 1), headers },
      { ...at(again, 3), value: at(again, 4).value },
      { ...at(again, 3), key: 'another key' },
      { ...at(again, 3), headers: { ce_id: 'nobody/knows' } },
      { key: 'no headers', value: at(again, 3).value },
      { ...at(again, 3), value: Buffer.from('not Avro') },
      { ...at(again, 3), value: null },
      // A number as key, and an id that no text of the database can be.
      { ...at(again, 3), key: Buffer.from([0, 0, 0, 1]) },
      { ...at(again, 3), headers: { ce_id: 'no\0body' } },
    ]);
    const { tallies, samples } = await validate('shipments');
    expect(tallies).toEqual({
      ...{ told: (whole?.length ?? 0) + 2, repeat: 2, gap: 1, disordered: 1 },
      ...{ differs: 3, unknown: 3, poison: 2 },
    });
    expect(samples.gap).toEqual([expect.objectContaining({ orderId: orders[1], eventId: at(holed, 3).id })]);
    expect(samples.disordered?.map(({ eventId }) => eventId)).toEqual([at(holed, 2).id]);
    expect(samples.differs?.map(({ code }) => code)).toEqual(Array(3).fill('OMS_AUDIT_RECORD_DIFFERS'));
    expect(samples.poison?.map(({ code }) => code)).toEqual(['OMS_INGEST_NOT_AVRO', 'OMS_INGEST_VALUE_EMPTY']);
  });

  it('keep their place among others of their order that were not asked for', async () => {
    const { tallies } = await validate('shipments', { orderIds: [orders[0]], types: ['ShipmentDispatched'] });
    expect(tallies).toMatchObject({ told: 2 });
    expect(tallies).not.toHaveProperty('gap');
    const { tallies: holed } = await validate('shipments', { orderIds: [orders[1]] });
    expect(holed).toMatchObject({ told: 1, gap: 1, disordered: 1 });
  });

  it('may have gaps where the topic is compacted, and none where an event was given up', async () => {
    const [statuses = [], deliveries = []] = [
      await events(orders[0], 'order-status'),
      await events(orders[0], 'deliveries'),
    ];
    await produce(
      'order-status',
      [statuses[0], statuses.at(-1)].flatMap((one) => one ?? []),
    );
    expect((await validate('order-status')).tallies).toEqual({ told: 2 });

    const invoices = await events(orders[0], 'invoices');
    await sql`update outbox set skipped_at = now() where event_id = ${invoices[1]?.id}`.execute(world.db);
    await produce(
      'invoices',
      [invoices[0], ...invoices.slice(2)].flatMap((one) => one ?? []),
    );
    expect((await validate('invoices')).tallies).toEqual({ told: invoices.length - 1 });
    await produce('deliveries', deliveries);
    expect((await validate('deliveries')).tallies).toEqual({ told: deliveries.length });
  });

  it('are validated to the same end by a run that is killed', async () => {
    const { replayId, planned } = await plan(world.environment, { mode: 'validate', options: { from: 'shipments' } });
    expect(await runUntilProgress(world, replayId)).toMatchObject({ end: 'SIGKILL' });
    expect((await run(world.environment, replayId)).tallies).toEqual(planned?.tallies);
    const { rows } = await sql`select from replay_notes`.execute(world.db);
    expect(rows).toEqual([]);
  });
});

describe("a replay's own topic", () => {
  it('is validated as what it was told from', async () => {
    await sql`update outbox set sent_at = now()`.execute(world.db);
    const { replayId, options } = await plan(world.environment, { mode: 're-emit' });
    const { effects } = await run(world.environment, replayId);
    const told = Object.values(effects).reduce((sum, n) => sum + n, 0);
    expect(told).toBeGreaterThan(10);
    expect((await validate(options.to ?? '')).tallies).toEqual({ told });
  });
});

describe('dead letters on their topic', () => {
  it('are compared with their table one by one', async () => {
    await world.produce({ key: `${orders[0]}:1`, value: Buffer.from('bad') }, world.update('nobody:1', 'booked'));
    const { replayId } = await plan(world.environment, { options: { from: 'carrier-updates' } });
    expect((await run(world.environment, replayId)).effects).toEqual({ deadLettered: 2 });
    expect((await validate('orders.dlq')).tallies).toEqual({ told: 2 });

    const letters = (await world.deadLetters()).map(({ key, value, headers }) => ({
      ...{ key, value, headers: headers },
    }));
    const [one, other] = letters;
    await produce('orders.dlq', [
      { ...one, value: one?.value ?? null },
      { ...other, value: Buffer.from('other bytes') },
      { key: 'x', value: Buffer.from('no letter') },
      { key: 'x', value: Buffer.from('no letter'), headers: { 'oms-dlq-id': `\0${'x'.repeat(10_000)}` } },
    ]);
    const { tallies } = await validate('orders.dlq');
    expect(tallies).toEqual({ told: 2, repeat: 1, differs: 1, unknown: 2 });
    const unknown = await validate('orders.dlq', { types: ['OMS_INGEST_SHIPMENT_UNKNOWN'] });
    expect(unknown.tallies.told).toBe(1);
  });
});

describe('a topic', () => {
  const refused = (field: string, rule: string) => ({
    ...{ code: 'OMS_REPLAY_INVALID', fault: { field, rule: expect.stringContaining(rule) } },
  });

  it('of ours can only be validated', async () => {
    const asked = plan(world.environment, { options: { from: 'shipments' } });
    await expect(asked).rejects.toMatchObject(refused('from', 'must be one of orders, carrier-updates, stock-levels;'));
  });

  it('of others cannot be read at all', async () => {
    const asked = plan(world.environment, { mode: 'validate', options: { from: 'somebody-elses' } });
    await expect(asked).rejects.toMatchObject(refused('from', 'or the whole name of a topic that a replay told'));
  });
});
