import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createApiWorld } from '../helpers/api-world.ts';
import type { ApiWorld } from '../helpers/api-world.ts';

let world: ApiWorld;
beforeAll(async () => {
  world = await createApiWorld();
  await world.stock([{ warehouse: 'east', sku: 'e', onHand: 1_000 }]);
});
afterAll(() => world.close());

const newOrder = (fields: object = {}) => ({
  customerId: 'anna',
  currency: 'GBP',
  items: [{ sku: 'e', quantity: 2, unitPrice: 1_000 }],
  ...fields,
});
const placed = (orderId: string, fields: object = {}) => world.post('/v1/orders', newOrder({ orderId, ...fields }));
/** As a worker does when the order's workflow begins. */
const taken = async (orderId: string, fields: object = {}): Promise<void> => {
  await placed(orderId, fields);
  await world.activities.takeOrder(orderId, 'run');
};
const idsOf = async (query: string): Promise<unknown[]> =>
  (await world.pages(`/v1/orders${query}`, 500)).map(({ orderId }) => orderId);
const postedRecords = (orderId: string) =>
  world.db
    .selectFrom('outbox')
    .select('type')
    .where('order_id', '=', orderId)
    .where('version', 'is', null)
    .orderBy('id')
    .execute();

describe('POST /v1/orders', () => {
  it('places an order that can be read at once, with its record for the topic in the same transaction', async () => {
    const { status, headers, json } = await placed('first', { shipTo: { country: 'GB', city: 'Testham' } });
    expect(status).toBe(201);
    expect(headers).toMatchObject({ location: '/v1/orders/first', 'cache-control': 'no-store' });
    expect(json).toMatchObject({ orderId: 'first', status: 'pending', customerId: 'anna', fulfillments: [] });
    expect((await world.get('/v1/orders/first')).json).toEqual(json);
    expect(await postedRecords('first')).toEqual([{ type: 'OrderPlaced' }]);
  });

  it('makes an id where none is given', async () => {
    const { status, json } = await world.post('/v1/orders', newOrder());
    expect(status).toBe(201);
    expect(String(json.orderId)).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('answers the same order again with the first, and another order under its id with 409', async () => {
    await placed('again');
    expect((await placed('again')).status).toBe(200);
    const conflict = await placed('again', { customerId: 'berta' });
    expect([conflict.status, conflict.json.code]).toEqual([409, 'OMS_INGEST_ORDER_CONFLICT']);
    expect(await postedRecords('again')).toHaveLength(1);
  });

  it.each([
    [{ currency: 'gbp' }, 'currency', '"gbp"'],
    [{ currency: 'ZZZ' }, 'currency', '"ZZZ"'],
    [{ items: [] }, 'items', '[]'],
    [{ items: [{ sku: 'e', quantity: 0 }] }, 'items[0].quantity', '0'],
    [{ items: [{ sku: 'e', quantity: 1, colour: 'red' }] }, 'items[0].colour', '"red"'],
    [{ customerId: 'a\u0000b' }, 'customerId', '"a\\u0000b"'],
    [{ customerId: '\ud800' }, 'customerId', '"\\ud800"'],
    [{ orderId: 'a:b' }, 'orderId', '"a:b"'],
    [{ shipTo: { city: 'x' } }, 'shipTo.country', 'undefined'],
  ])('refuses %j and names field, value and rule', async (fields, field, value) => {
    const { status, headers, json } = await world.post('/v1/orders', newOrder(fields));
    expect(headers['content-type']).toContain('application/problem+json');
    expect(status).toBe(400);
    expect(json).toMatchObject({
      code: 'OMS_API_REQUEST_INVALID',
      type: '/docs/errors/OMS_API_REQUEST_INVALID',
      status,
    });
    expect(json).toMatchObject({ field, value, rule: expect.stringMatching(/\w+/) });
  });
});

describe('An Idempotency-Key', () => {
  const key = { 'idempotency-key': 'key-1' };

  it('places one order, however often it is sent, also at the same time', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => world.post('/v1/orders', newOrder(), key)));
    const again = await world.post('/v1/orders', newOrder(), key);
    expect(new Set([...answers, again].map(({ json }) => json.orderId)).size).toBe(1);
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201]);
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect(answers.filter(({ headers }) => headers['idempotent-replayed'] === undefined)).toHaveLength(1);
  });

  it('is refused for another request', async () => {
    const { status, json } = await world.post('/v1/orders', newOrder({ customerId: 'else' }), key);
    expect([status, json.code]).toEqual([422, 'OMS_API_KEY_REUSED']);
  });

  it('may be used again after a refusal: what fails leaves nothing behind', async () => {
    const fresh = { 'idempotency-key': 'key-2' };
    await placed('taken-id');
    const conflict = newOrder({ orderId: 'taken-id', customerId: 'else' });
    expect((await world.post('/v1/orders', conflict, fresh)).status).toBe(409);
    expect((await world.post('/v1/orders', newOrder(), fresh)).status).toBe(201);
  });
});

describe('GET /v1/orders', () => {
  beforeAll(async () => {
    await placed('list-new', { customerId: 'lister', items: [{ sku: 'rare', quantity: 1, unitPrice: 1 }] });
    await taken('list-taken', { customerId: 'lister' });
    await taken('list-asked', { customerId: 'lister', items: [{ sku: 'nowhere', quantity: 1, unitPrice: 1 }] });
  });

  it('lists newest first, orders included that no worker has taken yet', async () => {
    expect(await idsOf('?customer=lister')).toEqual(['list-asked', 'list-taken', 'list-new']);
  });

  it.each([
    ['?customer=lister&status=pending', ['list-new']],
    ['?customer=lister&status=processing,customerActionRequired', ['list-asked', 'list-taken']],
    ['?sku=rare', ['list-new']],
    ['?sku=nowhere', ['list-asked']],
    ['?q=list-', ['list-asked', 'list-taken', 'list-new']],
    ['?q=lister&source=http', ['list-asked', 'list-taken', 'list-new']],
    ['?customer=lister&source=elsewhere', []],
    ['?customer=lister&overdue=any', []],
    ['?customer=lister&from=2000-01-01T00:00:00Z', ['list-asked', 'list-taken', 'list-new']],
    ['?customer=lister&to=2000-01-01T00:00:00%2B01:00', []],
  ])('narrows to %s', async (query, ids) => {
    expect(await idsOf(query)).toEqual(ids);
  });

  it.each([
    ['status=odd', 'status'],
    ['from=yesterday', 'from'],
    ['limit=0', 'limit'],
    ['cursor=abc', 'cursor'],
    ['colour=red', 'colour'],
    ['q=%00', 'q'],
  ])('refuses ?%s', async (query, field) => {
    const { status, json } = await world.get(`/v1/orders?${query}`);
    expect([status, json.field]).toEqual([400, field]);
    expect(json.rule).toEqual(expect.stringMatching(/\w+/));
  });

  it('exports what matches as CSV, with nothing in it that a spreadsheet would run', async () => {
    await taken('formula', { customerId: '=cmd()' });
    const { headers, text } = await world.get('/v1/orders.csv?customer=%3Dcmd()');
    expect(headers['content-type']).toContain('text/csv');
    const [header, line, end] = text.split('\n');
    expect(header).toMatch(/^orderId,status,reason,source,customerId,/);
    expect(line).toMatch(/^formula,processing,,http,'=cmd\(\),GBP/);
    expect(end).toBe('');
  });
});

describe('What is asked of an order', () => {
  it.each([
    ['cancel', { reason: 'changed my mind' }, 'OrderCancelled'],
    ['amend', { items: [{ sku: 'e', quantity: 1, unitPrice: 1_000 }] }, 'OrderAmended'],
  ])('%s: is taken in, stands in the timeline and goes to the topic, once for each key', async (path, body, type) => {
    const id = `asked-${path}`;
    await taken(id);
    const key = { 'idempotency-key': 'k' };
    const answers = [await world.post(`/v1/orders/${id}/${path}`, body, key)];
    answers.push(await world.post(`/v1/orders/${id}/${path}`, body, key));
    expect(answers.map(({ status }) => status)).toEqual([202, 202]);
    expect(answers[1]?.json).toEqual(answers[0]?.json);
    expect((await postedRecords(id)).map((record) => record.type)).toEqual(['OrderPlaced', type]);
    const { json } = await world.get(`/v1/orders/${id}/timeline`);
    expect(json.asked).toContainEqual(
      expect.objectContaining({ eventId: answers[0]?.json.eventId, type, outcome: 'posted' }),
    );
    expect(json.told).not.toHaveLength(0);
  });

  it('action: is taken in where the customer is asked, and refused where not', async () => {
    await taken('asked-action', { items: [{ sku: 'gone', quantity: 1, unitPrice: 1 }] });
    expect((await world.post('/v1/orders/asked-action/action', { action: 'cancel' })).status).toBe(202);
    await taken('not-asked');
    const { status, json } = await world.post('/v1/orders/not-asked/action', { action: 'amend' });
    expect([status, json.code]).toEqual([409, 'OMS_ORDER_MOVE_ILLEGAL']);
    const odd = await world.post('/v1/orders/not-asked/action', { action: 'dance' });
    expect([odd.status, odd.json.field, odd.json.rule]).toEqual([400, 'action', 'must be amend or cancel']);
  });

  it.each(['cancel', 'amend', 'action'])('%s: 404 for an order nobody knows', async (path) => {
    const body = { cancel: {}, amend: { shipTo: { country: 'GB' } }, action: { action: 'cancel' } }[path];
    const { status, json } = await world.post(`/v1/orders/unheard-of/${path}`, body);
    expect([status, json.code]).toEqual([404, 'OMS_ORDER_UNKNOWN']);
    expect((await world.get('/v1/orders/unheard-of')).status).toBe(404);
    expect((await world.get('/v1/orders/unheard-of/timeline')).status).toBe(404);
  });

  it('is refused once a shipment is with the carrier', async () => {
    await taken('gone-out');
    await world.activities.chargeFulfillments('gone-out', ['gone-out:1']);
    await world.activities.bookShipments('gone-out', ['gone-out:1']);
    await world.news('gone-out:1', 'dispatched');
    const { status, json } = await world.post('/v1/orders/gone-out/cancel', {});
    expect([status, json.code]).toEqual([409, 'OMS_ORDER_CANCEL_TOO_LATE']);
    const elsewhere = await world.post('/v1/orders/gone-out/cancel', { fulfillmentId: 'gone-out:7' });
    expect([elsewhere.status, elsewhere.json.field]).toEqual([404, 'fulfillmentId']);
    const amend = await world.post('/v1/orders/gone-out/amend', { shipTo: { country: 'GB' } });
    expect([amend.status, amend.json.code]).toEqual([409, 'OMS_ORDER_AMEND_TOO_LATE']);
  });

  it('may only lower what was ordered', async () => {
    await taken('more');
    const { status, json } = await world.post('/v1/orders/more/amend', { items: [{ sku: 'e', quantity: 3 }] });
    expect([status, json.code]).toEqual([422, 'OMS_ORDER_AMEND_INVALID']);
  });
});
