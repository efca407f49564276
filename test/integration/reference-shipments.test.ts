import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { createQueueReader } from '../../temporal/queue-stats.ts';
import { createReferenceWorld, inject } from '../helpers/reference-world.ts';
import type { Answer, ReferenceWorld } from '../helpers/reference-world.ts';

let world: ReferenceWorld;
beforeAll(async () => {
  world = await createReferenceWorld();
});
afterAll(() => world.drop());

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,8}[1-9])?Z$/;
const booked = async (name: string): Promise<string> => {
  const id = `${name}-${randomUUID().slice(0, 8)}`;
  const items = [{ sku: 'Vans', quantity: 3 }];
  expect((await world.post('/orders', { id, customerId: '1234', items })).status).toBe(201);
  await world.work(id);
  return `${id}:1`;
};
const tell = (shipmentId: string, status: string): Promise<Answer> =>
  world.post(`/shipments/${shipmentId}/status`, { status });
const listed = async (path: string): Promise<{ id: string; status: string }[]> =>
  (await world.get(path)).json as { id: string; status: string }[];
const statusIn = async (path: string, id: string): Promise<string | undefined> =>
  (await listed(path)).find((one) => one.id === id)?.status;

describe('GET /shipments', () => {
  it('lists what is booked, newest first, and as pending what has not come to its end', async () => {
    const [first, second] = [await booked('older'), await booked('newer')];
    for (const path of ['/shipments', '/shipments/pending']) {
      const ids = (await listed(path)).map(({ id }) => id);
      expect(ids.indexOf(second)).toBeLessThan(ids.indexOf(first));
      expect(ids).toContain(first);
    }
    await tell(first, 'delivered');
    expect(await statusIn('/shipments', first)).toBe('delivered');
    expect(await statusIn('/shipments/pending', first)).toBeUndefined();
  });

  it.each([
    ['deliveryFailed', 'dispatched', 'dispatched'],
    ['returnedToSender', 'failed', undefined],
    ['cancelled', 'cancelled', undefined],
    ['inTransit', 'dispatched', 'dispatched'],
  ])('shows %s as %s', async (news, shown, pending) => {
    const id = await booked(news);
    expect((await tell(id, news)).status).toBe(200);
    expect(await statusIn('/shipments', id)).toBe(shown);
    expect(await statusIn('/shipments/pending', id)).toBe(pending);
    expect((await world.get(`/shipments/${id}`)).json).toMatchObject({ status: shown });
  });
});

describe('GET /shipments/{id}', () => {
  it('shows status, time of the last move and items; the colon raw or escaped', async () => {
    const id = await booked('one');
    for (const path of [id, id.replace(':', '%3A')]) {
      const { json, headers } = await world.get(`/shipments/${path}`);
      const items = [{ sku: 'Vans', quantity: 3 }];
      expect(json).toEqual({ id, status: 'booked', updatedAt: expect.stringMatching(TIME), items });
      expect(headers['content-type']).toBe('application/json');
    }
  });

  it("has Go's zero time while the carrier is still to be asked", async () => {
    const id = `asked-${randomUUID().slice(0, 8)}`;
    await world.post('/orders', { id, customerId: '1234', items: [{ sku: 'Vans', quantity: 1 }] });
    await world.activities.takeOrder(id, 'run');
    await world.activities.chargeFulfillments(id, [`${id}:1`]);
    const { json } = await world.get(`/shipments/${id}:1`);
    expect(json).toMatchObject({ status: 'pending', updatedAt: '0001-01-01T00:00:00Z' });
    expect(await statusIn('/shipments', `${id}:1`)).toBeUndefined();
  });

  it.each(['nothing:1', 'nothing', 'a:b:1', '%00:1', 'x:0'])('does not know %s', async (id) => {
    const wanted = { status: 404, text: 'Shipment not found\n' };
    expect(await world.get(`/shipments/${id}`)).toMatchObject(wanted);
    expect(await tell(id, 'delivered')).toMatchObject(wanted);
  });
});

describe('POST /shipments/{id}/status', () => {
  it('moves the shipment at once, puts the news on its topic, and takes a repeat without effect', async () => {
    const id = await booked('moves');
    for (const status of ['booked', 'dispatched', 'dispatched', 'delivered', 'delivered']) {
      const answer = await tell(id, status);
      expect(answer).toMatchObject({ status: 200, text: '' });
      expect(answer.headers['content-length']).toBe('0');
      expect(answer.headers['content-type']).toBeUndefined();
      expect((await world.get(`/shipments/${id}`)).json).toMatchObject({ status });
    }
    const news = (await world.posted(id.slice(0, -2))).filter(({ topic }) => topic === 'carrier-updates');
    expect(news.map(({ value }) => value['status'])).toEqual(['dispatched', 'delivered']);
    expect((await world.get(`/orders/${id.slice(0, -2)}`)).json).toMatchObject({
      fulfillments: [{ status: 'completed', shipment: { status: 'delivered' } }],
    });
  });

  it('takes delivered for a shipment that was only booked', async () => {
    const id = await booked('leaps');
    expect((await tell(id, 'delivered')).status).toBe(200);
    expect((await world.get(`/shipments/${id}`)).json).toMatchObject({ status: 'delivered' });
  });

  it('refuses a move that is not possible', async () => {
    const id = await booked('back');
    await tell(id, 'dispatched');
    const answer = await tell(id, 'booked');
    expect(answer).toMatchObject({ status: 409, text: `shipment ${id} is dispatched, and cannot become booked\n` });
    await tell(id, 'delivered');
    expect(await tell(id, 'returnedToSender')).toMatchObject({ status: 409 });
    expect((await world.get(`/shipments/${id}`)).json).toMatchObject({ status: 'delivered' });
  });

  it.each([
    ['an unknown status', '{"status":"lost at sea"}', /^status is "lost at sea": must be one of booked, dispatched/],
    ['no status', '{}', /^status is "": must be one of/],
    ['no body', undefined, /the body is empty/],
    ['what is not JSON', 'delivered', /must be one JSON object/],
    ['a number', '{"status":1}', /^status is 1: must be a string/],
  ])('refuses %s', async (_name, body, words) => {
    const id = await booked('firm');
    const answer = await world.send('POST', `/shipments/${id}/status`, body === undefined ? {} : { body });
    expect(answer).toMatchObject({ status: 400, text: expect.stringMatching(words) });
    expect((await world.get(`/shipments/${id}`)).json).toMatchObject({ status: 'booked' });
  });
});

describe('Stats', () => {
  it('tell how many workers there are, what waits for them, and how fast orders are completed', async () => {
    for (const path of ['/shipments/stats', '/charge/stats']) {
      expect(await world.get(path)).toMatchObject({ status: 200, json: { workerCount: 0, backlog: 0 } });
    }
    const id = (await booked('counts')).slice(0, -2);
    const before = ((await world.get('/orders/stats')).json as { completeRate: number }).completeRate;
    await tell(`${id}:1`, 'delivered');
    await world.activities.closeOrder(id, { handled: [], timedOut: false });
    const { json } = await world.get('/orders/stats');
    expect(json).toEqual({ workerCount: 0, backlog: 0, completeRate: expect.closeTo(before + 1 / 30, 9) });
  });

  it('are not there while Temporal is away, and everything else is', async () => {
    const connection = Connection.lazy({ address: '127.0.0.1:1' });
    const client = new Client({ connection });
    const app = await world.another({}, { queues: createQueueReader(client, 'orders') });
    const paths = ['/orders/stats', '/shipments/stats', '/charge/stats'];
    for (const answer of await Promise.all(paths.map((path) => inject(app, 'GET', path)))) {
      expect(answer).toMatchObject({ status: 503, text: expect.stringMatching(/.\n$/) });
      expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
    }
    expect((await inject(app, 'GET', '/orders')).status).toBe(200);
    await connection.close();
  });
});
