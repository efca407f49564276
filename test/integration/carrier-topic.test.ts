import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { parkCarrierNews, unparkCarrierNews } from '../../database/ledger/parked-carrier-news.ts';
import { topicNames } from '../../kafka/topics.ts';
import { auditNews } from '../../operations/audit/news.ts';
import { createCarrierTopicWorld } from '../helpers/carrier-topic-world.ts';
import type { CarrierTopicWorld, RunningNews } from '../helpers/carrier-topic-world.ts';
import { testEnvironment } from '../helpers/stack.ts';
import { createTcpSwitch } from '../helpers/tcp-switch.ts';
import { waitFor } from '../helpers/wait.ts';

let world: CarrierTopicWorld;
let news: RunningNews | undefined;
beforeAll(async () => {
  world = await createCarrierTopicWorld();
});
afterAll(() => world.drop());
afterEach(async () => {
  await news?.stop();
  news = undefined;
});

const start = async (...options: Parameters<CarrierTopicWorld['startNews']>): Promise<RunningNews> =>
  (news = await world.startNews(...options));

interface Refused {
  code: string;
  field: string;
  value: RegExp;
  rule: RegExp;
}

const byCode = async (code: string, value: RegExp) =>
  (await world.deadLetters()).filter(
    ({ headers }) => headers['oms-dlq-error-code'] === code && value.test(String(headers['oms-dlq-error-value'])),
  );

describe('the topic of the carriers', () => {
  it('brings a shipment to its end, whatever comes twice, in another order or late', async () => {
    const id = await world.booked();
    const { counted } = await start();
    const { update } = world;
    const [delivered, dispatched] = [update(`${id}:1`, 'delivered'), update(`${id}:1`, 'dispatched')];
    await world.produce(
      delivered,
      delivered,
      dispatched,
      update(`${id}:2`, 'inTransit'),
      update(`${id}:2`, 'delivered'),
    );
    await world.untilRead();
    expect(await world.shipments(id)).toEqual(['delivered', 'delivered']);
    await world.activities.closeOrder(id, { handled: [], timedOut: false });
    await world.produce(delivered, update(`${id}:1`, 'deliveryFailed'));
    await world.untilRead();
    expect(await world.shipments(id)).toEqual(['delivered', 'delivered']);
    expect(await counted()).toEqual({ 'topic applied': 3, 'topic repeated': 3, 'topic late': 1 });
    const told = await world.told(id);
    const types = told.flatMap(({ topic, type }) => (topic === 'deliveries' ? [type] : []));
    expect(types).toEqual(['Delivered', 'Delivered']);
    expect((await world.deadLetters()).length).toBe(0);
  });

  it('keeps the carrier, its tracking number and what it says', async () => {
    const id = await world.booked();
    await start();
    await world.produce(
      world.update(`${id}:1`, 'deliveryFailed', { detail: 'nobody at home', carrier: 'Quick Wheels' }),
    );
    await world.untilRead();
    const told = await world.told(id);
    expect(told.find(({ type }) => type === 'DeliveryFailed')).toMatchObject({
      eventId: `${id}/1/DeliveryFailed/1`,
      reason: 'nobody at home',
      carrierTime: new Date(Date.UTC(2026, 0, 2)).getTime(),
    });
  });

  const bad: [string, (id: string) => Parameters<CarrierTopicWorld['produce']>[0], Refused][] = [
    [
      'no Avro',
      () => ({ key: 'x:1', value: Buffer.from('dispatched') }),
      { code: 'OMS_INGEST_NOT_AVRO', field: 'value', value: /64 69 73/, rule: /must start with the byte 0/ },
    ],
    [
      'no value',
      () => ({ key: 'x:1', value: null }),
      {
        code: 'OMS_INGEST_VALUE_EMPTY',
        field: 'value',
        value: /null/,
        rule: /must hold what its topic carries/,
      },
    ],
    [
      'the order id for a key',
      (id) => keyed(id, world.update(`${id}:1`, 'dispatched')),
      { code: 'OMS_INGEST_KEY_MISMATCH', field: 'key', value: /"t/, rule: /must be the shipment id, / },
    ],
    [
      'no key',
      (id) => keyed(null, world.update(`${id}:1`, 'dispatched')),
      { code: 'OMS_INGEST_KEY_MISSING', field: 'key', value: /null/, rule: /must be the shipment id, / },
    ],
    [
      'a shipment id that is none',
      (id) => world.update(id, 'dispatched'),
      field('shipmentId', /"t/, /must be a shipment id, <order id>:<n>/),
    ],
    [
      'a status this version does not know',
      (id) => world.update(`${id}:1`, 'Unknown'),
      field('status', /"Unknown"/, /must be one of booked, dispatched, inTransit/),
    ],
    [
      'an empty update id',
      (id) => world.update(`${id}:1`, 'dispatched', { updateId: '' }),
      field('updateId', /""/, /must be 1 to 200 characters/),
    ],
    [
      'a time before 1970',
      (id) => world.update(`${id}:1`, 'dispatched', { occurredAt: -1 }),
      field('occurredAt', /-1/, /must be milliseconds since 1970/),
    ],
    [
      'an order nobody ever saw',
      () => world.update(`${randomUUID()}:1`, 'dispatched'),
      {
        code: 'OMS_INGEST_SHIPMENT_UNKNOWN',
        field: 'shipmentId',
        value: /:1"/,
        rule: /must be a shipment the OMS has/,
      },
    ],
  ];

  it.each(bad)('refuses %s with field, value and rule, and goes on', async (_name, record, refused) => {
    const id = await world.booked();
    const before = (await world.deadLetters()).length;
    await start();
    await world.produce(record(id), world.update(`${id}:2`, 'dispatched'));
    await world.untilRead();
    const letters = (await world.deadLetters()).slice(before);
    expect(letters.map(({ headers }) => headers)).toEqual([
      expect.objectContaining({
        'oms-dlq-error-code': refused.code,
        'oms-dlq-error-field': refused.field,
        'oms-dlq-error-value': expect.stringMatching(refused.value),
        'oms-dlq-error-rule': expect.stringMatching(refused.rule),
        'oms-dlq-consumer-group': expect.stringMatching(/oms-carrier$/),
      }),
    ]);
    expect(await world.shipments(id)).toEqual(['booked', 'dispatched']);
  });

  it('names the carrier as the source of its refusals, so that its adapter finds them', async () => {
    const stranger = `${randomUUID()}:1`;
    await start();
    await world.produce(world.update(stranger, 'dispatched', { carrier: 'Quick Wheels' }));
    await world.untilRead();
    const [letter] = await byCode('OMS_INGEST_SHIPMENT_UNKNOWN', new RegExp(stranger));
    expect(letter?.headers).toMatchObject({
      'oms-dlq-source': 'Quick Wheels',
      'oms-dlq-order-id': stranger.slice(0, -2),
    });
  });

  it('refuses news of a fulfillment that was never shipped and never will be', async () => {
    const id = `${world.prefix}${randomUUID().slice(0, 8)}`;
    await world.place(id, [{ sku: 'e' }]);
    await world.activities.takeOrder(id, 'run');
    await world.activities.beginCancel(id, { fulfillmentId: null, cause: 'c', reason: 'r' });
    await start();
    await world.produce(world.update(`${id}:1`, 'dispatched'));
    await world.untilRead();
    expect(await byCode('OMS_INGEST_SHIPMENT_UNKNOWN', new RegExp(id))).toHaveLength(1);
  });
});

describe('news that is faster than its shipment', () => {
  it.each(['awaited', 'taken'] as const)('waits for it while its order is %s, and is then applied', async (so) => {
    const id = `${world.prefix}${randomUUID().slice(0, 8)}`;
    if (so === 'awaited') await world.db.insertInto('ledger').values({ order_id: id, state: 'awaited' }).execute();
    else await placeAndTake(id);
    const { counted } = await start();
    await world.produce(world.update(`${id}:1`, 'dispatched'));
    await world.untilRead();
    expect(await counted()).toEqual({ 'topic parked': 1 });
    if (so === 'awaited') {
      await world.db.deleteFrom('ledger').where('order_id', '=', id).execute();
      await placeAndTake(id);
    }
    await world.activities.chargeFulfillments(id, [`${id}:1`]);
    await waitFor('the news to be applied', async () => (await world.shipments(id))[0] === 'dispatched');
    await waitFor('nothing to be parked', async () => (await parked(id)) === 0);
    expect(await counted()).toEqual({ 'topic parked': 1, 'parked applied': 1 });
  });

  it('is refused when its shipment has not come by the deadline', async () => {
    const id = `${world.prefix}${randomUUID().slice(0, 8)}`;
    await placeAndTake(id);
    await start({ settings: { OMS_PARKING_DEADLINE: '100 ms' } });
    await world.produce(world.update(`${id}:1`, 'dispatched'));
    await waitFor(
      'the dead letter',
      async () => (await byCode('OMS_INGEST_SHIPMENT_UNKNOWN', new RegExp(id))).length > 0,
    );
    const [letter] = await byCode('OMS_INGEST_SHIPMENT_UNKNOWN', new RegExp(id));
    expect(letter?.headers['oms-dlq-error-rule']).toBe('must be there before the deadline of its news');
    await waitFor('nothing to be parked', async () => (await parked(id)) === 0);
  });

  it('is refused with the record the topic repeats it in, when it was pushed before', async () => {
    const id = `${world.prefix}${randomUUID().slice(0, 8)}`;
    await placeAndTake(id);
    const { occurredAt, ...rest } = world.update(`${id}:1`, 'dispatched');
    const pushed = { ...rest, status: 'dispatched' as const, at: occurredAt };
    await parkCarrierNews(world.db, [{ news: pushed, record: null }], 3_600_000);
    const before = await start();
    await world.produce(world.update(`${id}:1`, 'dispatched'));
    await world.untilRead();
    expect(await parked(id)).toBe(1);
    await before.stop();
    // What a process took before the record came ends without it; the record is not forgotten.
    await unparkCarrierNews(world.db, [{ news: pushed, record: null }]);
    await world.db.updateTable('parked_carrier_news').set({ deadline: new Date() }).execute();
    await start();
    await waitFor('nothing to be parked', async () => (await parked(id)) === 0);
    expect(await byCode('OMS_INGEST_SHIPMENT_UNKNOWN', new RegExp(id))).toHaveLength(1);
    expect(await lost(id)).toEqual([]);
  });

  it('is refused once when it comes again meanwhile, and the audit misses nothing', async () => {
    const id = `${world.prefix}${randomUUID().slice(0, 8)}`;
    await placeAndTake(id);
    const before = await start();
    const [first, again] = [
      world.update(`${id}:1`, 'dispatched'),
      world.update(`${id}:1`, 'dispatched', { detail: 'x' }),
    ];
    await world.produce(first, again);
    await world.untilRead();
    await world.produce(again);
    await world.untilRead();
    await before.stop();
    await world.db.updateTable('parked_carrier_news').set({ deadline: new Date() }).execute();
    await start();
    await waitFor('nothing to be parked', async () => (await parked(id)) === 0);
    expect(await byCode('OMS_INGEST_SHIPMENT_UNKNOWN', new RegExp(id))).toHaveLength(1);
    expect(await lost(id)).toEqual([]);
    await world.db.deleteFrom('dead_letters').where('order_id', '=', id).execute();
    expect(await lost(id)).toHaveLength(3);
  });

  it('waits, too, when it cannot be applied for a reason of its own, and holds up nobody else’s', async () => {
    const [id, other] = [await world.booked(), await world.booked()];
    // What was promised to the order has vanished: no step can take it off the shelf.
    const broken = world.db.updateTable('stock').where('sku', '=', 'e');
    await broken.set({ on_hand: 0, reserved: 0 }).execute();
    const { counted } = await start();
    await world.produce(world.update(`${id}:1`, 'dispatched'), world.update(`${other}:2`, 'dispatched'));
    await world.untilRead();
    expect(await counted()).toMatchObject({ 'topic failed': 1, 'topic applied': 1 });
    expect(await world.shipments(other)).toEqual(['booked', 'dispatched']);
    await broken.set({ on_hand: 1_000, reserved: 100 }).execute();
    await waitFor('the news to be applied', async () => (await world.shipments(id))[0] === 'dispatched');
  });
});

describe('while a part is away, the carriers’ topic', () => {
  it('waits for the database: nothing is refused or skipped, and all is applied when it is back', async () => {
    const id = await world.booked();
    const url = new URL(world.url);
    const way = await createTcpSwitch(url.host);
    const through = Object.assign(new URL(world.url), { host: way.address }).href;
    const running = await start({ databaseUrl: through });
    await world.produce(world.update(`${id}:1`, 'dispatched'));
    await world.untilRead();
    way.cut();
    const before = [await world.committed(), (await world.deadLetters()).length];
    await world.produce(world.update(`${id}:1`, 'delivered'), { key: 'poison', value: Buffer.from('no Avro') });
    await waitFor('it to say so', async () => /OMS_DATABASE_UNAVAILABLE/.test((await ready(running)) ?? ''));
    expect([await world.committed(), (await world.deadLetters()).length]).toEqual(before);
    way.heal();
    await world.untilRead();
    expect(await world.shipments(id)).toEqual(['delivered', 'booked']);
    await waitFor('it to be ready', async () => (await ready(running)) === null);
    await running.stop();
    await way.close();
  });

  it('waits for Temporal when an order’s workflow is to be told, and only then', async () => {
    const id = await world.booked();
    const way = await createTcpSwitch(testEnvironment().TEMPORAL_ADDRESS);
    const running = await start({ settings: { TEMPORAL_ADDRESS: way.address } });
    way.cut();
    await world.produce(world.update(`${id}:1`, 'delivered'));
    await world.untilRead();
    await world.produce(world.update(`${id}:2`, 'delivered'));
    await waitFor('it to say so', async () => /OMS_TEMPORAL_UNAVAILABLE/.test((await ready(running)) ?? ''));
    way.heal();
    await world.untilRead();
    expect(await world.shipments(id)).toEqual(['delivered', 'delivered']);
    await running.stop();
    await way.close();
  });
});

const ready = async (running: RunningNews): Promise<string | null> => (await running.ready['carrierTopic']?.()) ?? null;

function keyed(key: string | null, update: Parameters<CarrierTopicWorld['produce']>[0]) {
  return { key, value: world.codec.encode(topicNames(world.prefix)['carrier-updates'], update) };
}

function field(name: string, value: RegExp, rule: RegExp): Refused {
  return { code: 'OMS_INGEST_FIELD_INVALID', field: name, value, rule };
}

async function placeAndTake(id: string): Promise<void> {
  await world.place(id, [{ sku: 'e' }]);
  await world.activities.takeOrder(id, 'run');
}

/** News of an order that the audit finds nowhere, though its records were committed. */
async function lost(orderId: string): Promise<string[]> {
  const found = await auditNews(world, await world.records());
  return found.flatMap((one) => (one.orderId === orderId ? [one.subject] : []));
}

async function parked(orderId: string): Promise<number> {
  const rows = world.db.selectFrom('parked_carrier_news').select('update_id');
  return (await rows.where('shipment_id', 'like', `${orderId}:%`).execute()).length;
}
