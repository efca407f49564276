import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { feedEnd } from '../../database/outbox/outbox-feed.ts';
import { startApiHere } from '../helpers/api-app.ts';
import type { ApiHere } from '../helpers/api-app.ts';
import { createTestDatabase } from '../helpers/database.ts';
import { follow } from '../helpers/follow.ts';
import type { Message } from '../helpers/follow.ts';
import { createFulfillmentWorld } from '../helpers/fulfillment-world.ts';
import type { FulfillmentWorld } from '../helpers/fulfillment-world.ts';
import { waitFor } from '../helpers/wait.ts';

let world: FulfillmentWorld;
let api: ApiHere;
beforeAll(async () => {
  world = await createFulfillmentWorld();
  await world.stock([{ warehouse: 'east', sku: 'e', onHand: 1_000 }]);
  api = await startApiHere(world);
});
afterAll(async () => {
  await api.close();
  await world.drop();
});

async function book(id: string, customerId = 'customer-1'): Promise<void> {
  await world.place(id, [{ sku: 'e' }], { customerId });
  await world.activities.takeOrder(id, 'run');
  await world.activities.chargeFulfillments(id, [`${id}:1`]);
  await world.activities.bookShipments(id, [`${id}:1`]);
}

async function deliver(id: string): Promise<void> {
  await world.news(`${id}:1`, 'delivered');
  await world.activities.closeOrder(id, { handled: [], timedOut: false });
}

const told = (messages: readonly Message[]): Message[] => messages.filter(({ event }) => event === undefined);
const versions = (messages: readonly Message[]): unknown[] => told(messages).map(({ data }) => data?.['version']);
const eventIds = (messages: readonly Message[]): unknown[] => told(messages).map(({ data }) => data?.['eventId']);
const oneTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);
const allTold = async (id: string): Promise<string[]> => (await world.told(id)).map(({ eventId }) => eventId);

describe('The live stream of an order', () => {
  it('tells everything from the start in version order, then what comes, and ends when the order is closed', async () => {
    await book('whole');
    const reader = await follow(`${api.url}/v1/orders/whole/events?from=start`);
    expect(reader.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(reader.response.headers.get('x-accel-buffering')).toBe('no');
    await reader.until((await allTold('whole')).length);
    await deliver('whole');
    await reader.ended;
    const all = await allTold('whole');
    expect(versions(reader.messages)).toEqual(oneTo(all.length));
    expect(eventIds(reader.messages)).toEqual(all);
    expect(reader.messages.at(-1)).toMatchObject({ event: 'end', data: { orderId: 'whole', version: all.length } });
  });

  it('goes on after Last-Event-ID, whatever the URL says, and has nothing more of a closed order: 204', async () => {
    await book('resumed');
    const first = await follow(`${api.url}/v1/orders/resumed/events?from=start`);
    await first.until(2);
    first.close();
    await deliver('resumed');
    const second = await follow(`${api.url}/v1/orders/resumed/events?from=start`, '2');
    await second.ended;
    expect([1, 2, ...versions(second.messages)]).toEqual(oneTo((await allTold('resumed')).length));
    const third = await follow(`${api.url}/v1/orders/resumed/events`, second.lastId());
    expect(third.response.status).toBe(204);
  });

  it('of an order that no worker has taken begins with its first event', async () => {
    await world.place('untaken', [{ sku: 'e' }]);
    const reader = await follow(`${api.url}/v1/orders/untaken/events`);
    await world.activities.takeOrder('untaken', 'run');
    const [first] = await reader.until(1);
    expect(first).toMatchObject({ id: '1', data: { orderId: 'untaken', version: 1 } });
    reader.close();
  });

  it('is not held back by a transaction that stays open, and outlives lost connections', async () => {
    await book('unheld');
    const reader = await follow(`${api.url}/v1/orders/unheld/events`);
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name = 'oms-api'`.execute(world.db);
    await world.db.transaction().execute(async (tx) => {
      await sql`insert into settings (name, value) values ('open', '1')`.execute(tx);
      await deliver('unheld');
      await reader.ended;
    });
    expect(reader.messages.at(-1)?.event).toBe('end');
    expect(versions(reader.messages).at(-1)).toBe((await allTold('unheld')).length);
  });

  it.each([
    ['of an unknown order', 'nobody/events', undefined, 404, 'OMS_ORDER_UNKNOWN'],
    ['after an id that is none', 'bad/events', 'x', 400, 'OMS_API_REQUEST_INVALID'],
    ['from a place that is none', 'bad/events?from=middle', undefined, 400, 'OMS_API_REQUEST_INVALID'],
  ])('%s is refused', async (_title, path, lastEventId, status, code) => {
    if (path.startsWith('bad')) await world.place('bad', [{ sku: 'e' }]).catch(() => undefined);
    const { response } = await follow(`${api.url}/v1/orders/${path}`, lastEventId);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(response.headers.get('oms-error-code') ?? code).toBe(code);
  });
});

describe('The live stream of all orders', () => {
  it('tells every event once, of each order by version, to one who stays and to one who comes again and again', async () => {
    const begin = await end();
    const steady = await follow(`${api.url}/v1/events?from=${begin}`);
    const ids = ['a', 'b', 'c'].map((name) => `all-${name}`);
    const telling = Promise.all(ids.map((id) => book(id).then(() => deliver(id))));
    const seen: Message[] = [];
    let place: string | undefined = begin;
    const comeAgain = async (count: number): Promise<void> => {
      const reader = await follow(`${api.url}/v1/events`, place);
      await reader.until(count);
      reader.close();
      seen.push(...reader.messages.slice(0, count));
      place = seen.at(-1)?.id;
    };
    for (const count of [1, 2, 3]) await comeAgain(count);
    await telling;
    const total = (await Promise.all(ids.map(allTold))).flat().length;
    await comeAgain(total - seen.length);
    await steady.until(total);
    steady.close();
    for (const messages of [steady.messages, seen]) {
      const byOrder = Map.groupBy(messages, ({ data }) => data?.['orderId']);
      for (const id of ids) expect(eventIds(byOrder.get(id) ?? [])).toEqual(await allTold(id));
    }
    expect(seen.map(({ id }) => id)).toEqual(steady.messages.map(({ id }) => id));
  });

  it('passes over nothing that commits late: it waits for transactions under way', async () => {
    await book('late');
    await book('early');
    const reader = await follow(`${api.url}/v1/events?from=${await end()}`);
    const open = Promise.withResolvers<void>();
    const isWritten = Promise.withResolvers<void>();
    const late = world.db.transaction().execute(async (tx) => {
      await sql`update orders set version = version + 1 where order_id = 'late'`.execute(tx);
      await sql`insert into outbox (event_id, order_id, version, topic, sequence, type, cause, key, value, headers, shard)
        select 'late/late', order_id, version, 'shipments', 99, 'ShipmentDelayed', 'test', order_id, '', '{}', 0
        from orders where order_id = 'late'`.execute(tx);
      isWritten.resolve();
      await open.promise;
    });
    await isWritten.promise;
    await deliver('early').finally(() => open.resolve());
    await late;
    const messages = await reader.until(2);
    await waitFor('both orders', () => messages.some(({ data }) => data?.['orderId'] === 'early'));
    expect(messages[0]?.data).toMatchObject({ eventId: 'late/late' });
    reader.close();
  });

  it('waits for nobody who writes in another database of the server', async () => {
    const other = await createTestDatabase();
    const open = Promise.withResolvers<void>();
    const isWriting = Promise.withResolvers<void>();
    const writing = other.db.transaction().execute(async (tx) => {
      await sql`select pg_current_xact_id()`.execute(tx);
      isWriting.resolve();
      await open.promise;
    });
    await isWriting.promise;
    const reader = await follow(`${api.url}/v1/events?from=${await end()}`);
    await book('meanwhile');
    await reader.until(1).finally(() => open.resolve());
    reader.close();
    await writing;
    await other.drop();
  });

  it('tells a customer only of its own orders, and moves on past the others', async () => {
    const begin = await end();
    const reader = await follow(`${api.url}/v1/events?customer=mine&topic=shipments&from=${begin}`);
    await book('mine-1', 'mine');
    await book('theirs', 'theirs');
    const [booked] = await reader.until(1);
    expect(booked?.data).toMatchObject({ customerId: 'mine', type: 'ShipmentBooked', orderId: 'mine-1' });
    await waitFor('an id past the others', () => reader.lastId() !== booked?.id);
    expect(reader.messages).toHaveLength(1);
    reader.close();
  });

  it('has no place in what is yet to come', async () => {
    const { response } = await follow(`${api.url}/v1/events`, '99999999999-1');
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'OMS_API_REQUEST_INVALID', field: 'last-event-id' });
  });
});

describe('Live streams', () => {
  it('are opened up to a limit, and one that ends makes room', async () => {
    const narrow = await startApiHere(world, { OMS_API_STREAMS: '1' });
    const first = await follow(`${narrow.url}/v1/events`);
    const refused = await follow(`${narrow.url}/v1/events`);
    expect(refused.response.status).toBe(503);
    expect(await refused.response.json()).toMatchObject({ code: 'OMS_API_STREAMS_EXHAUSTED', retryable: true });
    first.close();
    await waitFor('room', async () => {
      const again = await follow(`${narrow.url}/v1/events`);
      again.close();
      return again.response.ok;
    });
    await narrow.close();
  });

  it('end at once with a word when the server stops', async () => {
    const stopping = await startApiHere(world);
    await book('draining');
    const readers = [
      await follow(`${stopping.url}/v1/events`),
      await follow(`${stopping.url}/v1/orders/draining/events`),
    ];
    await stopping.close();
    for (const { ended, messages } of readers) {
      await ended;
      expect(messages.at(-1)).toMatchObject({ event: 'drain' });
    }
  });

  it('outlive the time a request may take', async () => {
    // Long enough for a sign of life to come in time on a busy machine: a socket without one is closed.
    const hasty = await startApiHere(world, { OMS_API_TIMEOUT: '1 s' });
    const began = performance.now();
    const reader = await follow(`${hasty.url}/v1/events`);
    await waitFor('more than that time', () => performance.now() - began > 3_000);
    await book('patient');
    await reader.until(1);
    reader.close();
    await hasty.close();
  });

  it('are not read for a HEAD', async () => {
    const answer = await fetch(`${api.url}/v1/events`, { method: 'HEAD' });
    expect(answer.status).toBe(405);
  });
});

async function end(): Promise<string> {
  const { tx, id } = await feedEnd(world.db);
  return `${tx}-${id}`;
}
