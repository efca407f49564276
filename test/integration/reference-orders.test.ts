import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { createReferenceWorld } from '../helpers/reference-world.ts';
import type { Answer, ReferenceWorld } from '../helpers/reference-world.ts';

let world: ReferenceWorld;
beforeAll(async () => {
  world = await createReferenceWorld();
});
afterAll(() => world.drop());

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,8}[1-9])?Z$/;
const PLAIN = 'text/plain; charset=utf-8';
const orderOf = (id: string, ...skus: string[]) => ({
  ...{ id, customerId: '1234' },
  items: skus.map((sku) => ({ sku, description: 'ignored', quantity: 1 })),
});
const newId = (name: string): string => `${name}-${randomUUID().slice(0, 8)}`;
const place = async (name: string, ...skus: string[]): Promise<string> => {
  const id = newId(name);
  expect(await world.post('/orders', orderOf(id, ...skus))).toMatchObject({ status: 201 });
  return id;
};
const statusOf = async (id: string): Promise<unknown> => (await world.get(`/orders/${id}`)).json;

/** 200, or the status given, and nothing else. */
function expectNothing({ status, headers, text }: Answer, wanted = 200): void {
  expect({ status, text, length: headers['content-length'], type: headers['content-type'] }).toEqual({
    ...{ status: wanted, text: '', length: '0', type: undefined },
  });
}

function expectText({ status, headers, text }: Answer, wanted: number, words: RegExp | string): void {
  expect(text).toMatch(words);
  expect(text.endsWith('\n')).toBe(true);
  expect({ status, type: headers['content-type'], sniff: headers['x-content-type-options'] }).toEqual({
    ...{ status: wanted, type: PLAIN, sniff: 'nosniff' },
  });
}

describe('POST /orders', () => {
  it.each([
    ['as the web client calls it', { 'content-type': 'text/plain;charset=UTF-8' }],
    ['as JSON', { 'content-type': 'application/json' }],
    ['as a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['as nothing that could be', { 'content-type': 'nonsense' }],
    ['without a content type', {}],
  ])('takes a JSON body %s', async (_name, headers) => {
    const id = newId('typed');
    const answer = await world.send('POST', '/orders', { body: JSON.stringify(orderOf(id, 'Vans')), headers });
    expectNothing(answer, 201);
    expect(answer.headers['location']).toBe(`/orders/${id}`);
  });

  it('matches names whatever their case, and ignores those it does not know', async () => {
    const id = newId('case');
    const body = {
      ID: id,
      CUSTOMERID: 'c-1',
      gift: { __proto__: 1 },
      Items: [{ SKU: 'Vans', QUANTITY: 2, colour: 7 }],
    };
    expectNothing(await world.post('/orders', body), 201);
    const [record] = await world.posted(id);
    expect(record?.value['payload']).toMatchObject({
      'oms.OrderPlaced': { customerId: 'c-1', currency: 'USD', items: [{ sku: 'Vans', quantity: 2 }] },
    });
  });

  it('shows the order at once, pending and without fulfillments, before any worker has seen it', async () => {
    const id = await place('fresh', 'Vans');
    expect(await statusOf(id)).toEqual({
      ...{ id, customerId: '1234', receivedAt: expect.stringMatching(TIME), status: 'pending', fulfillments: null },
    });
    const { json } = await world.get('/orders');
    expect(json).toContainEqual({ id, status: 'pending', receivedAt: expect.stringMatching(TIME) });
  });

  it('takes the same order again without a second record, and refuses another of its id', async () => {
    const id = await place('twice', 'Vans');
    const again = await world.post('/orders', orderOf(id, 'Vans'));
    expectNothing(again, 201);
    expect(again.headers['location']).toBe(`/orders/${id}`);
    expectText(
      await world.post('/orders', orderOf(id, 'Puma')),
      409,
      /^id is "twice-.*: must be new, since there is another order/,
    );
    expect(await world.posted(id)).toHaveLength(1);
    expect(await world.posted(id)).toMatchObject([{ topic: 'orders', value: { orderId: id, source: 'http' } }]);
  });

  const items = '"items":[{"sku":"Vans","quantity":1}]';
  const quantity = (value: string): string => `{"id":"q","customerId":"1","items":[{"sku":"V","quantity":${value}}]}`;
  it.each([
    ['no body', undefined, /the body is empty/],
    ['not JSON', 'order', /must be one JSON object/],
    ['JSON cut off', '{"id":"x"', /must be one JSON object/],
    ['more than one value', `{"id":"x","customerId":"1",${items}} more`, /must be one JSON object/],
    ['an array', '[]', /\(body\) is \[\]: must be a JSON object/],
    ['null, an order without an id', 'null', /^id is "": must be 1 to 128 characters/],
    ['an empty object', '{}', /^id is "": must be/],
    ['an id that is a number', '{"id":1}', /^id is 1: must be a string/],
    ['an id with a colon', `{"id":"a:1","customerId":"1",${items}}`, /^id is "a:1": must be/],
    ['no customer', `{"id":"x",${items}}`, /^customerId is "": must be/],
    ['half a character', `{"id":"x","customerId":"\\ud800",${items}}`, /^customerId is .*well-formed/],
    ['no items', '{"id":"x","customerId":"1","items":[]}', /^items is 0: must be 1 to 5,000 lines/],
    ['items that are no list', '{"id":"x","customerId":"1","items":"Vans"}', /^items is "Vans": must be an array/],
    ['an item that is null', '{"id":"x","customerId":"1","items":[null]}', /^items\[0\]\.quantity is 0: must be/],
    ['no SKU', '{"id":"x","customerId":"1","items":[{"quantity":1}]}', /^items\[0\]\.sku is "": must be/],
    ['a fraction of a piece', quantity('1.5'), /^items\[0\]\.quantity is 1.5: must be a whole number/],
    ['no pieces', quantity('0'), /^items\[0\]\.quantity is 0: must be/],
    ['less than none', quantity('-3'), /^items\[0\]\.quantity is -3: must be/],
    ['a quantity beyond 32 bits', quantity('2147483648'), /^items\[0\]\.quantity is 2147483648: must be/],
    ['a quantity in quotes', quantity('"2"'), /^items\[0\]\.quantity is "2": must be a whole number/],
  ])('refuses %s with the field, its value and the rule, and keeps nothing', async (_name, body, words) => {
    const before = await world.get('/orders');
    expectText(await world.send('POST', '/orders', body === undefined ? {} : { body }), 400, words);
    expect(await world.get('/orders')).toMatchObject({ text: before.text });
  });
});

describe('GET /orders/{id}', () => {
  it('shows payment and shipment of what is under way, amounts in cents, in the order of the fields of the reference', async () => {
    const id = await place('two', 'Nike', 'Vans', 'Puma');
    await world.work(id);
    const { text, headers, json } = await world.get(`/orders/${id}`);
    expect(headers['content-type']).toBe('application/json');
    expect(text).toBe(`${JSON.stringify(json)}\n`);
    const amounts = { subTotal: expect.any(Number), tax: expect.any(Number), shipping: 500, total: expect.any(Number) };
    const part = (n: number, location: string, ...skus: string[]) => ({
      ...{ id: `${id}:${n}`, items: skus.map((sku) => ({ sku, quantity: 1 })), location, status: 'processing' },
      payment: { ...amounts, status: 'success' },
      shipment: { id: `${id}:${n}`, status: 'booked', updatedAt: expect.stringMatching(TIME) },
    });
    const fulfillments = [part(1, 'Warehouse A', 'Nike'), part(2, 'Warehouse B', 'Vans', 'Puma')];
    const head = { id, customerId: '1234', receivedAt: expect.stringMatching(TIME), status: 'processing' };
    expect(json).toEqual({ ...head, fulfillments });
    const [first] = (json as { fulfillments: Record<string, Record<string, number>>[] }).fulfillments;
    expect(Object.keys(first ?? {})).toEqual(['id', 'items', 'location', 'status', 'payment', 'shipment']);
    const { subTotal = 0, tax = 0, shipping = 0, total } = first?.['payment'] ?? {};
    expect(total).toBe(subTotal + tax + shipping);
  });

  it('leaves out location, payment and shipment where there is none', async () => {
    const id = await place('waits', 'Adidas', 'Nike');
    await world.activities.takeOrder(id, 'run');
    expect(await statusOf(id)).toMatchObject({
      status: 'customerActionRequired',
      fulfillments: [
        { id: `${id}:1`, items: [{ sku: 'Adidas', quantity: 1 }], status: 'unavailable' },
        { id: `${id}:2`, items: [{ sku: 'Nike', quantity: 1 }], location: 'Warehouse A', status: 'pending' },
      ],
    });
    const { text } = await world.get(`/orders/${id}`);
    expect(text).not.toMatch(/payment|shipment|"location":null/);
  });

  it('shows what was completed in part as completed, like the list', async () => {
    const id = await place('partly', 'Nike', 'Vans');
    await world.work(id);
    for (const n of [1, 2])
      await world.post(`/shipments/${id}:${n}/status`, { status: n === 1 ? 'delivered' : 'dispatched' });
    await world.post(`/shipments/${id}:2/status`, { status: 'returnedToSender' });
    await world.activities.refundFulfillments(id);
    await world.activities.closeOrder(id, { handled: [], timedOut: false });
    const stored = await world.db.selectFrom('orders').select('status').where('order_id', '=', id).executeTakeFirst();
    expect(stored).toEqual({ status: 'partiallyCompleted' });
    expect(await statusOf(id)).toMatchObject({
      status: 'completed',
      fulfillments: [
        { status: 'completed', shipment: { status: 'delivered' } },
        { status: 'failed', payment: { status: 'success' }, shipment: { status: 'failed' } },
      ],
    });
    expect((await world.get('/orders')).json).toContainEqual(expect.objectContaining({ id, status: 'completed' }));
  });

  it.each(['nothing', 'no:order', '%00', 'a%2Fb', 'x'.repeat(500), '%F0%9F%8D%8E'])('does not know %s', async (id) => {
    expectText(await world.get(`/orders/${id}`), 404, /^Order not found\n$/);
  });
});

describe('GET /orders', () => {
  it('lists newest first, whatever the query says', async () => {
    const [first, second] = [await place('older', 'Vans'), await place('newer', 'Vans')];
    for (const path of ['/orders', '/orders?status=completed']) {
      const ids = ((await world.get(path)).json as { id: string }[]).map(({ id }) => id);
      expect(ids.indexOf(second)).toBeLessThan(ids.indexOf(first));
    }
  });

  it('lists the newest thousand, and no more', async () => {
    await sql`
      insert into orders (order_id, run_id, source, customer_id, currency, status, placed_at, received_at)
      select 'many-' || n, 'run', 'test', 'c', 'USD', 'completed', now(), now() - n * interval '1 hour'
      from generate_series(1, 1005) as n`.execute(world.db);
    const { json } = await world.get('/orders');
    expect(json).toHaveLength(1_000);
    expect((json as { id: string }[]).map(({ id }) => id)).not.toContain('many-1005');
    await world.db.deleteFrom('orders').where('order_id', 'like', 'many-%').execute();
  });

  it('answers an empty array when there is none', async () => {
    const empty = await createReferenceWorld();
    expect(await empty.get('/orders')).toMatchObject({ status: 200, text: '[]\n' });
    expect(await empty.get('/shipments')).toMatchObject({ status: 200, text: '[]\n' });
    expect(await empty.get('/shipments/pending')).toMatchObject({ status: 200, text: '[]\n' });
    await empty.drop();
  });
});

describe('POST /orders/{id}/action', () => {
  it.each([
    ['amend', 'Amend'],
    ['cancel', 'Cancel'],
  ])('puts %s on the way to the order that waits for it', async (action, word) => {
    const id = await place(action, 'Adidas', 'Nike');
    await world.activities.takeOrder(id, 'run');
    expectNothing(await world.post(`/orders/${id}/action`, { action }));
    const posted = await world.posted(id);
    expect(posted.at(-1)).toMatchObject({ value: { payload: { 'oms.CustomerAction': { action: word } } } });
  });

  it.each([
    ['an unknown action', '{"action":"dance"}', /^action is "dance": must be one of amend, cancel/],
    ['no action', '{}', /^action is "": must be one of/],
    ['no body', undefined, /the body is empty/],
    ['what is not JSON', 'amend', /must be one JSON object/],
    ['an action that is a number', '{"action":1}', /^action is 1: must be a string/],
  ])('refuses %s', async (_name, body, words) => {
    const id = await place('refuses', 'Adidas');
    expectText(await world.send('POST', `/orders/${id}/action`, body === undefined ? {} : { body }), 400, words);
    expect(await world.posted(id)).toHaveLength(1);
  });

  it('does not know an order that was never placed', async () => {
    expectText(await world.post('/orders/nothing/action', { action: 'cancel' }), 404, /^Order not found\n$/);
    expectText(await world.post('/orders/a:b/action', { action: 'cancel' }), 404, /^Order not found\n$/);
  });

  it('refuses what is not asked of an order that does not wait, or has ended', async () => {
    const id = await place('busy', 'Vans');
    await world.work(id);
    expectText(await world.post(`/orders/${id}/action`, { action: 'cancel' }), 409, /no customer action is asked for/);
    await world.post(`/shipments/${id}:1/status`, { status: 'delivered' });
    await world.activities.closeOrder(id, { handled: [], timedOut: false });
    expectText(
      await world.post(`/orders/${id}/action`, { action: 'amend' }),
      409,
      /nothing can be asked of it any more/,
    );
  });
});

describe('Paths and methods', () => {
  it.each([
    ...[
      '/',
      '/health',
      '/orders/',
      '/orders/a/',
      '//orders',
      '/shipments/',
      '/shipments/a:1/items',
      '/invoices',
      '/limits',
    ],
    ...['/charge/', '/orders/a/b/c', '/ORDERS'],
  ])('have nothing at %s', async (path) => {
    expectText(await world.get(path), 404, /^404 page not found\n$/);
  });

  it.each([
    ['PUT', '/orders', 'GET, HEAD, POST'],
    ['OPTIONS', '/orders', 'GET, HEAD, POST'],
    ['DELETE', '/orders/a', 'GET, HEAD'],
    ['POST', '/orders/a', 'GET, HEAD'],
    ['POST', '/orders/stats', 'GET, HEAD'],
    ['GET', '/orders/a/action', 'POST'],
    ['GET', '/orders/a/insert', 'POST'],
    ['POST', '/shipments', 'GET, HEAD'],
    ['PUT', '/shipments/a:1', 'GET, HEAD, POST'],
    ['GET', '/shipments/a:1/status', 'POST'],
    ['GET', '/charge', 'POST'],
    ['POST', '/charge/stats', 'GET, HEAD'],
    ['GET', '/limit', 'POST'],
    ['POST', '/settings', 'GET, HEAD'],
    ['PATCH', '/check', 'POST'],
  ])('refuse %s of %s and name what they take', async (method, path, allow) => {
    const answer = await world.send(method, path, { body: '{}' });
    expectText(answer, 405, /^Method Not Allowed\n$/);
    expect(answer.headers['allow']).toBe(allow);
  });

  it('answer HEAD where GET is, without a body', async () => {
    const id = await place('head', 'Vans');
    for (const path of ['/orders', `/orders/${id}`, '/shipments', '/settings']) {
      const answer = await world.send('HEAD', path);
      expect(answer).toMatchObject({ status: 200, text: '' });
      expect(answer.headers['content-type']).toBe('application/json');
    }
    expect((await world.send('HEAD', '/orders/nothing')).status).toBe(404);
  });

  it('refuse what cannot be decoded', async () => {
    expectText(await world.get('/orders/%zz'), 400, /must be UTF-8, percent-encoded/);
  });

  it.each([
    ['/orders/x/insert', /^Forbidden: orders are placed by POST \/orders\n$/],
    ['/orders/x/status', /^Forbidden: an order's status follows from what happens to it\n$/],
    ['/shipments/x:1', /^Forbidden: a shipment is booked by its order/],
  ])('do not let anybody rewrite what is so at %s', async (path, words) => {
    expectText(await world.post(path, { id: 'x', status: 'completed' }), 403, words);
    expectText(await world.send('POST', path, { body: 'not JSON' }), 403, words);
  });
});
