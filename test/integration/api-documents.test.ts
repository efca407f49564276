import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createApiWorld } from '../helpers/api-world.ts';
import type { ApiWorld } from '../helpers/api-world.ts';

const EVIL = `<script>alert("x")</script>&'`;

let world: ApiWorld;
beforeAll(async () => {
  world = await createApiWorld();
  await world.stock([
    { warehouse: 'east', sku: 'e', onHand: 1_000 },
    { warehouse: 'west', sku: 'w', onHand: 1_000 },
  ]);
  await booked('one');
  await booked('two', { customerId: EVIL, shipTo: { ...ADDRESS, name: EVIL } });
});
afterAll(() => world.close());

const ADDRESS = { name: 'A', line1: null, line2: null, city: 'Testham', region: null, postalCode: null, country: 'GB' };

/** An order of two shipments, paid and booked. */
async function booked(orderId: string, fields = {}): Promise<void> {
  const ids = [`${orderId}:1`, `${orderId}:2`];
  const items = [
    { sku: 'e', quantity: 3, description: EVIL },
    { sku: 'w', quantity: 2 },
  ];
  await world.place(orderId, items, fields);
  await world.activities.takeOrder(orderId, 'run');
  await world.activities.chargeFulfillments(orderId, ids);
  await world.activities.bookShipments(orderId, ids);
}

const idsOf = async (query: string): Promise<unknown[]> =>
  (await world.pages(`/v1/shipments${query}`, 500)).map(({ shipmentId }) => shipmentId);
const invoiceOf = async (fulfillmentId: string): Promise<string> => {
  const all = await world.pages('/v1/invoices', 500);
  return String(all.find((one) => one.fulfillmentId === fulfillmentId)?.invoiceId);
};

describe('Shipments', () => {
  it('are listed newest booking first, and narrowed', async () => {
    await booked('three');
    await world.news('three:1', 'delivered');
    expect(await idsOf('')).toEqual(['three:2', 'three:1', 'two:2', 'two:1', 'one:2', 'one:1']);
    expect(await idsOf('?order=one')).toEqual(['one:2', 'one:1']);
    expect(await idsOf('?status=delivered')).toEqual(['three:1']);
    expect(await idsOf('?order=three&pending=true')).toEqual(['three:2']);
    expect(await idsOf('?order=three&pending=false')).toEqual(['three:1']);
    expect(await idsOf('?carrier=nobody')).toEqual([]);
    const refused = await world.get('/v1/shipments?status=odd');
    expect([refused.status, refused.json.field]).toEqual([400, 'status']);
  });

  it('tell of their items and what the carrier has said', async () => {
    await world.news('three:2', 'inTransit', 'hub-1');
    const { json } = await world.get('/v1/shipments/three:2');
    expect(json).toMatchObject({ shipmentId: 'three:2', orderId: 'three', status: 'dispatched', warehouse: 'west' });
    expect(json.items).toEqual([{ line: 2, sku: 'w', quantity: 2 }]);
    expect(json.news).toEqual([expect.objectContaining({ updateId: 'hub-1', status: 'inTransit', applied: true })]);
    const unknown = await world.get('/v1/shipments/three:9');
    expect([unknown.status, unknown.json.code]).toEqual([404, 'OMS_SHIPMENT_UNKNOWN']);
  });
});

describe("A carrier's news over HTTP", () => {
  const path = '/v1/shipments/one:1/updates';

  it('moves the shipment on and goes to the topic, once for each id and each key', async () => {
    const news = { status: 'dispatched', updateId: 'u-1', occurredAt: '2026-01-02T10:00:00+01:00', detail: 'Hub' };
    const first = await world.post(path, news, { 'idempotency-key': 'k' });
    expect(first).toMatchObject({ status: 200, json: { shipmentId: 'one:1', updateId: 'u-1', status: 'dispatched' } });
    const replay = await world.post(path, news, { 'idempotency-key': 'k' });
    expect(replay).toMatchObject({ status: 200, json: first.json, headers: { 'idempotent-replayed': 'true' } });
    expect((await world.post(path, news)).json).toEqual(first.json);
    const other = await world.post(path, { status: 'delivered' }, { 'idempotency-key': 'k' });
    expect([other.status, other.json.code]).toEqual([422, 'OMS_API_KEY_REUSED']);
    const posted = await world.db.selectFrom('outbox').where('topic', '=', 'carrier-updates').selectAll().execute();
    expect(posted.map(({ key }) => key)).toEqual(['one:1']);
    const { json } = await world.get('/v1/shipments/one:1');
    expect(json.news).toEqual([
      expect.objectContaining({ updateId: 'u-1', occurredAt: '2026-01-02T09:00:00.000Z', detail: 'Hub' }),
    ]);
  });

  it('is refused where it is not possible any more, and where there is no such shipment', async () => {
    const back = await world.post(path, { status: 'cancelled' });
    expect([back.status, back.json.code]).toEqual([409, 'OMS_ORDER_MOVE_ILLEGAL']);
    for (const id of ['one:9', 'nobody:1']) {
      const { status, json } = await world.post(`/v1/shipments/${id}/updates`, { status: 'delivered' });
      expect([status, json.code]).toEqual([404, 'OMS_SHIPMENT_UNKNOWN']);
    }
  });

  it.each([
    [{ status: 'teleported' }, 'status'],
    [{}, 'status'],
    [{ status: 'delivered', occurredAt: 'now' }, 'occurredAt'],
    [{ status: 'delivered', occurredAt: '1960-01-01T00:00:00Z' }, 'occurredAt'],
    [{ status: 'delivered', updateId: '' }, 'updateId'],
    [{ status: 'delivered', price: 1 }, 'price'],
  ])('refuses %j', async (body, field) => {
    const { status, json } = await world.post(path, body);
    expect([status, json.code, json.field]).toEqual([400, 'OMS_API_REQUEST_INVALID', field]);
    expect(json.rule).toEqual(expect.stringMatching(/\w+/));
  });
});

describe('Invoices', () => {
  it('are listed by customer, order and time', async () => {
    const of = async (query: string) =>
      (await world.pages(`/v1/invoices${query}`, 500)).map(({ fulfillmentId }) => fulfillmentId);
    expect(await of('?order=one')).toEqual(expect.arrayContaining(['one:1', 'one:2']));
    expect(await of(`?customer=${encodeURIComponent(EVIL)}`)).toHaveLength(2);
    expect(await of('?to=2000-01-01T00:00:00Z')).toEqual([]);
    expect(await of('?order=one&from=2000-01-01T00:00:00Z')).toHaveLength(2);
  });

  it('tell of lines, pricing and payment', async () => {
    const { json, headers } = await world.get(`/v1/invoices/${await invoiceOf('one:1')}`);
    expect(headers).toMatchObject({ vary: 'accept', 'content-type': expect.stringContaining('application/json') });
    expect(json).toMatchObject({
      orderId: 'one',
      currency: 'GBP',
      subTotal: 3_000,
      tax: 600,
      shipping: 500,
      total: 4_100,
    });
    expect(json).toMatchObject({ pricing: { taxBasisPoints: 2_000 }, paymentStatus: 'success', credited: 0 });
    expect(json).toMatchObject({ payment: { status: 'success', captured: 4_100 }, creditNotes: [] });
    expect(json.lines).toEqual([
      { line: 1, sku: 'e', description: EVIL, quantity: 3, unitPrice: 1_000, amount: 3_000, tax: 600 },
    ]);
  });

  it('are pages to print where that is asked for, with everything escaped and no script allowed', async () => {
    const id = await invoiceOf('two:1');
    const accept = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
    const page = await world.get(`/v1/invoices/${id}`, { accept });
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(page.headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'sha256-/);
    expect(page.text).toContain(`<h1>${id}</h1>`);
    expect(page.text).toContain('GBP 41.00');
    expect(page.text).toContain('@media print');
    expect(page.text).not.toContain('<script');
    const escaped = '&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;&#39;';
    expect(page.text.split(escaped)).toHaveLength(4);
    expect((await world.get(`/v1/invoices/${id}.html`)).text).toBe(page.text);
    expect((await world.get(`/v1/invoices/${id}`, { accept: '*/*' })).json.invoiceId).toBe(id);
  });

  it('are not found under other numbers', async () => {
    for (const path of ['/v1/invoices/INV-99999999', '/v1/invoices/INV-99999999.html', '/v1/credit-notes/CN-1']) {
      const { status, json } = await world.get(path);
      expect([status, json.code]).toEqual([404, 'OMS_INVOICE_UNKNOWN']);
    }
  });
});

describe('Credit notes', () => {
  it('stand with their invoice, in a list and as documents', async () => {
    await world.place('back', [{ sku: 'e', description: EVIL }], { shipTo: ADDRESS });
    await world.activities.takeOrder('back', 'run');
    await world.activities.chargeFulfillments('back', ['back:1']);
    await world.activities.bookShipments('back', ['back:1']);
    await world.news('back:1', 'returnedToSender');
    await world.activities.refundFulfillments('back');
    const invoice = (await world.get(`/v1/invoices/${await invoiceOf('back:1')}`)).json;
    expect(invoice).toMatchObject({ credited: 1_700, paymentStatus: 'refunded', payment: { refunded: 1_700 } });
    const [listed] = await world.pages('/v1/credit-notes?order=back', 10);
    expect(invoice.creditNotes).toEqual([listed]);
    expect(await world.pages(`/v1/credit-notes?invoice=${String(invoice.invoiceId)}`, 10)).toEqual([listed]);
    expect(await world.pages('/v1/credit-notes?order=one', 10)).toEqual([]);
    const id = String(listed?.creditNoteId);
    const { json } = await world.get(`/v1/credit-notes/${id}`);
    expect(json).toMatchObject({ ...listed, total: 1_700, refunded: 1_700, lines: [{ sku: 'e', description: EVIL }] });
    const { text } = await world.get(`/v1/credit-notes/${id}.html`);
    expect(text).toContain(`<h1>${id}</h1>`);
    expect(text).not.toContain('<script');
  });
});
