import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { intendDeadLetters } from '../../database/dead-letters.ts';
import { OmsError } from '../../domain/errors.ts';
import { callerOf, createApiWorld } from '../helpers/api-world.ts';
import type { ApiWorld } from '../helpers/api-world.ts';

let world: ApiWorld;
beforeAll(async () => {
  world = await createApiWorld();
  await world.stock([{ warehouse: 'east', sku: 'e', onHand: 1_000 }]);
});
afterAll(() => world.close());

/** Taken and charged, 17.00 with tax and shipping; answers how the payment ended. */
async function charged(orderId: string, customerId: string): Promise<string | undefined> {
  await world.place(orderId, [{ sku: 'e' }], { customerId });
  await world.activities.takeOrder(orderId, 'run');
  const { fulfillments } = await world.activities.chargeFulfillments(orderId, [`${orderId}:1`]);
  return fulfillments[0]?.payment ?? undefined;
}

describe('Limits', () => {
  const spendOf = async (customer: string) => (await world.get(`/v1/customers/${customer}/spend`)).json.currencies;

  it('hold as they are set: the own one before the default, none as none', async () => {
    expect(await spendOf('anna')).toEqual([]);
    expect((await world.put('/v1/limits/GBP', { limit: 1_700 })).json).toEqual({ currency: 'GBP', limit: 1_700 });
    expect((await world.get('/v1/limits')).json).toEqual({ items: [{ currency: 'GBP', limit: 1_700 }] });
    expect(await charged('a-1', 'anna')).toBe('success');
    const spent = { currency: 'GBP', spent: 1_700, limit: null, effectiveLimit: 1_700 };
    expect(await spendOf('anna')).toEqual([spent]);
    expect(await charged('a-2', 'anna')).toBe('failed');
    const own = { currency: 'GBP', spent: 1_700, limit: 'none', effectiveLimit: null };
    expect((await world.put('/v1/customers/anna/limits/GBP', { limit: 'none' })).json).toEqual(own);
    expect(await charged('a-3', 'anna')).toBe('success');
    const ended = await world.call('DELETE', '/v1/customers/anna/limits/GBP');
    expect([ended.status, ended.text]).toEqual([204, '']);
    expect(await spendOf('anna')).toEqual([{ ...spent, spent: 3_400 }]);
    expect((await world.call('DELETE', '/v1/limits/GBP')).status).toBe(204);
    expect(await spendOf('anna')).toEqual([{ ...spent, spent: 3_400, effectiveLimit: null }]);
  });

  it.each([
    ['/v1/limits/GBP', { limit: -1 }, 'limit'],
    ['/v1/limits/GBP', { limit: 1.5 }, 'limit'],
    ['/v1/limits/GBP', {}, 'limit'],
    ['/v1/limits/XYZ', { limit: 1 }, 'currency'],
    ['/v1/limits/gbp', { limit: 1 }, 'currency'],
    ['/v1/customers/a%00b/limits/GBP', { limit: 1 }, 'id'],
  ])('%s refuses %j', async (path, body, field) => {
    const { status, json } = await world.put(path, body);
    expect([status, json.field]).toEqual([400, field]);
    expect(json.rule).toEqual(expect.stringMatching(/\w+/));
  });
});

describe('Maintenance', () => {
  it('holds payments while it is on, and its off lets them go on', async () => {
    expect((await world.get('/v1/maintenance')).json).toEqual({ on: false });
    expect((await world.put('/v1/maintenance', { on: true })).json).toEqual({ on: true });
    await expect(charged('m-1', 'berta')).rejects.toThrow('maintenance');
    expect((await world.put('/v1/maintenance', { on: false })).json).toEqual({ on: false });
    expect((await world.get('/v1/maintenance')).json).toEqual({ on: false });
    expect(await charged('m-2', 'berta')).toBe('success');
    const refused = await world.put('/v1/maintenance', { on: 'yes' });
    expect([refused.status, refused.json]).toEqual([400, expect.objectContaining({ field: 'on', value: '"yes"' })]);
  });
});

describe('Stock', () => {
  it('is counted by hand, or by a version of which the highest counts', async () => {
    const path = '/v1/stock/screw%2F5%20%E2%82%AC/east';
    expect((await world.get(path)).json).toMatchObject({ status: 404, code: 'OMS_STOCK_UNKNOWN' });
    const level = { sku: 'screw/5 €', warehouse: 'east', onHand: 5, reserved: 0, free: 5, shortage: 0 };
    expect((await world.put(path, { onHand: 5 })).json).toEqual({ ...level, levelVersion: null, applied: true });
    const newer = { ...level, onHand: 9, free: 9, levelVersion: 2 };
    expect((await world.put(path, { onHand: 9, version: 2 })).json).toEqual({ ...newer, applied: true });
    expect((await world.put(path, { onHand: 1, version: 1 })).json).toEqual({ ...newer, applied: false });
    expect((await world.get(path)).json).toEqual(newer);
    const refused = await world.put(path, { onHand: -1 });
    expect([refused.status, refused.json]).toEqual([400, expect.objectContaining({ field: 'onHand', value: '-1' })]);
  });

  const csv = { 'content-type': 'text/csv' };
  const HEADER = 'sku,warehouse,onHand,version,unitPrice,currency';

  it('comes in by CSV, with prices, and again without effect', async () => {
    const file = `${HEADER}\nbulk-1,east,5,1,250,GBP\nbulk-1,west,6,1,,\nbulk-2,east,7,1,100,EUR\n`;
    const first = await world.post('/v1/stock', file, csv);
    expect([first.status, first.json]).toEqual([200, { levels: 3, applied: 3, prices: 2, shortages: [] }]);
    expect((await world.post('/v1/stock', file, csv)).json).toMatchObject({ levels: 3, applied: 0, prices: 0 });
    const levels = await world.pages('/v1/stock?sku=bulk-1', 1);
    expect(levels.map(({ warehouse, onHand }) => [warehouse, onHand])).toEqual([
      ['east', 5],
      ['west', 6],
    ]);
    expect(await world.pages('/v1/stock?sku=bulk-1&warehouse=west', 5)).toHaveLength(1);
    expect((await world.get('/v1/prices/bulk-2/EUR')).json).toMatchObject({ unitPrice: 100 });
  });

  it('comes in by CSV once for each Idempotency-Key', async () => {
    const headers = { ...csv, 'idempotency-key': 'levels-1' };
    const first = await world.post('/v1/stock', `${HEADER}\nonce,east,5,1,,\n`, headers);
    const again = await world.post('/v1/stock', `${HEADER}\nonce,east,5,1,,\n`, headers);
    expect(again).toMatchObject({ json: first.json, headers: { 'idempotent-replayed': 'true' } });
    const other = await world.post('/v1/stock', `${HEADER}\nonce,east,6,2,,\n`, headers);
    expect([other.status, other.json.code]).toEqual([422, 'OMS_API_KEY_REUSED']);
  });

  it.each([
    ['none,east,1,1,,\nnone,east,many,1,,', 3, 'onHand', '"many"'],
    ['none,east,1,1,,\n,east,1,1,,', 3, 'sku', '""'],
    ['none,east,1,1,5,', 2, 'currency', 'null'],
    ['none,east,1,1,5,ZZZ', 2, 'currency', '"ZZZ"'],
  ])('takes nothing in when a line is bad: %j', async (lines, line, field, value) => {
    const { status, json } = await world.post('/v1/stock', `${HEADER}\n${lines}\n`, csv);
    expect([status, json.code]).toEqual([400, 'OMS_STOCK_INVALID']);
    expect(json).toMatchObject({ line, field, value, rule: expect.stringMatching(/\w+/) });
    expect(await world.pages('/v1/stock?sku=none', 5)).toEqual([]);
  });

  it.each(['', 'sku,onHand\na,1\n', `${HEADER}\n`, `${HEADER}\na,b\n`, '"'])('refuses the CSV %j', async (file) => {
    const { status, json } = await world.post('/v1/stock', file, csv);
    expect([status, json.code]).toEqual([400, expect.stringMatching(/^OMS_(STOCK_INVALID|API_REQUEST_INVALID)$/)]);
  });

  it('takes CSV only as CSV', async () => {
    expect((await world.post('/v1/stock', { sku: 'a' })).status).toBe(415);
  });

  it('says where less is there than orders were promised', async () => {
    await world.place('short', [{ sku: 'scarce', quantity: 4 }]);
    await world.put('/v1/stock/scarce/east', { onHand: 4 });
    await world.activities.takeOrder('short', 'run');
    const { json } = await world.post('/v1/stock', 'sku,warehouse,onHand,version\nscarce,east,1,1\n', csv);
    expect(json.shortages).toEqual([
      { sku: 'scarce', warehouse: 'east', onHand: 1, reserved: 4, shortage: 3, free: 0, levelVersion: 1 },
    ]);
  });
});

describe('Prices', () => {
  it('are set by hand; a change is a new version of the list', async () => {
    expect((await world.get('/v1/prices/p/GBP')).json).toMatchObject({ status: 404, code: 'OMS_PRICE_UNKNOWN' });
    const first = await world.put('/v1/prices/p/GBP', { unitPrice: 100 });
    expect(first.json).toMatchObject({ sku: 'p', currency: 'GBP', unitPrice: 100 });
    const second = await world.put('/v1/prices/p/GBP', { unitPrice: 200 });
    expect(second.json.listVersion).toBe(Number(first.json.listVersion) + 1);
    expect((await world.get('/v1/prices/p/GBP')).json).toEqual(second.json);
    expect(await world.pages('/v1/prices?sku=p&currency=GBP', 5)).toEqual([second.json]);
    for (const unitPrice of [-1, 1.5, '1']) {
      const { status, json } = await world.put('/v1/prices/p/GBP', { unitPrice });
      expect([status, json.field]).toEqual([400, 'unitPrice']);
    }
  });
});

describe('Dead letters', () => {
  it('are listed newest first, by code and by order, without what they hold', async () => {
    await intendDeadLetters(world.db, [letter('d-1', 'OMS_INGEST_LATE', 'o-1')]);
    await intendDeadLetters(world.db, [letter('d-2', 'OMS_INGEST_NOT_AVRO')]);
    const of = async (query: string) => (await world.pages(`/v1/dead-letters${query}`, 1)).map(({ id }) => id);
    expect(await of('')).toEqual(['d-2', 'd-1']);
    expect(await of('?code=OMS_INGEST_LATE')).toEqual(['d-1']);
    expect(await of('?order=o-1')).toEqual(['d-1']);
    const { json, text } = await world.get('/v1/dead-letters?order=o-1');
    expect(json.items).toEqual([expect.objectContaining({ topic: 'orders', partition: 0, offset: 7, sentAt: null })]);
    expect(text).not.toContain('secret');
    expect((await world.get('/v1/dead-letters?code=ODD')).json).toMatchObject({ status: 400, field: 'code' });
  });
});

function letter(id: string, code: 'OMS_INGEST_LATE' | 'OMS_INGEST_NOT_AVRO', orderId: string | null = null) {
  const place = { topic: 'orders', partition: 0, offset: 7, time: 0 };
  const record = { ...place, key: Buffer.from('k'), value: Buffer.from('secret'), headers: {} };
  return { id, code, message: 'refused', fault: null, orderId, source: null, record };
}

describe('Stats', () => {
  it('name what is away, and tell the rest', async () => {
    await world.post('/v1/orders', { customerId: 'c', currency: 'GBP', items: [{ sku: 'e', quantity: 1 }] });
    const { status, json } = await world.get('/v1/stats');
    expect(status).toBe(200);
    expect(json).toMatchObject({ lag: null, queue: null, orders: { pending: 1 }, outbox: { held: 0 } });
    expect(json.away).toEqual(
      expect.arrayContaining([
        { part: 'lag', code: 'OMS_KAFKA_UNAVAILABLE', reason: 'not part of this test' },
        { part: 'queue', code: 'OMS_TEMPORAL_UNAVAILABLE', reason: 'not part of this test' },
      ]),
    );
    expect(json.deadLetters).toEqual(expect.arrayContaining([{ code: 'OMS_INGEST_LATE', count: 1 }]));
  });

  it('tell lag by topic, workers and backlog, and how fast orders get done', async () => {
    await world.place('done', [{ sku: 'e' }]);
    await world.activities.takeOrder('done', 'run');
    await world.activities.chargeFulfillments('done', ['done:1']);
    await world.activities.bookShipments('done', ['done:1']);
    await world.news('done:1', 'delivered');
    await world.activities.closeOrder('done', { handled: [], timedOut: false });
    const of = { committed: null, start: 0n };
    const partitions = [1n, 2n].map((lag, partition) => ({ ...of, topic: 'orders', partition, end: lag, lag }));
    const lag = { read: async () => partitions };
    const app = await world.another({}, { lag, queues: { read: async () => ({ workers: 2, backlog: 5 }) } });
    const { json } = await callerOf(app)('GET', '/v1/stats');
    expect(json).toMatchObject({ away: [], queue: { workers: 2, backlog: 5 }, orders: { completed: 1 } });
    expect(json.lag).toEqual([{ topic: 'orders', records: 3 }]);
    expect(json.throughput).toMatchObject({ completedPerSecond30s: 1 / 30, p50Seconds: expect.any(Number) });
  });

  it('say so when a reader fails with a code of its own', async () => {
    const read = async () => Promise.reject(new OmsError('OMS_KAFKA_NOT_AUTHORIZED', 'no'));
    const { json } = await callerOf(await world.another({}, { lag: { read } }))('GET', '/v1/stats');
    expect(json.away).toContainEqual({ part: 'lag', code: 'OMS_KAFKA_NOT_AUTHORIZED', reason: 'no' });
  });
});
