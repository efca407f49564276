import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ERRORS, OmsError } from '../../domain/errors.ts';
import { callerOf, createApiWorld } from '../helpers/api-world.ts';
import type { ApiWorld } from '../helpers/api-world.ts';

let world: ApiWorld;
beforeAll(async () => {
  world = await createApiWorld();
});
afterAll(() => world.close());

const newOrder = { customerId: 'anna', currency: 'GBP', items: [{ sku: 'e', quantity: 1, unitPrice: 1 }] };

describe('A request', () => {
  it('keeps the id it came with, and gets one where it had none, or an odd one', async () => {
    const kept = await world.get('/v1/limits', { 'x-request-id': 'upstream:42' });
    expect(kept.headers['x-request-id']).toBe('upstream:42');
    const odd = await world.get('/v1/nothing', { 'x-request-id': 'a b\tc' });
    expect(odd.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(odd.json.requestId).toBe(odd.headers['x-request-id']);
  });

  it.each([
    ['GET', '/v1/nothing', undefined, 404, 'OMS_API_ROUTE_UNKNOWN'],
    ['POST', '/v1/nothing', 'x', 404, 'OMS_API_ROUTE_UNKNOWN'],
    ['GET', '/docs/errors/OMS_NO_SUCH', undefined, 404, 'OMS_API_ROUTE_UNKNOWN'],
    ['DELETE', '/v1/orders/a', undefined, 405, 'OMS_API_METHOD_UNKNOWN'],
    ['PUT', '/v1/orders/a', '{', 405, 'OMS_API_METHOD_UNKNOWN'],
    ['POST', '/v1/orders', '{', 400, 'OMS_API_BODY_UNREADABLE'],
    ['POST', '/v1/orders', '', 400, 'OMS_API_REQUEST_INVALID'],
    ['POST', '/v1/orders', '"text"', 400, 'OMS_API_REQUEST_INVALID'],
    ['POST', '/v1/orders', '{"__proto__": {}}', 400, 'OMS_API_BODY_UNREADABLE'],
    ['GET', '/v1/orders/%ff', undefined, 400, 'OMS_API_REQUEST_INVALID'],
  ] as const)('%s %s with %j is answered %i %s', async (method, path, body, status, code) => {
    const headers: Record<string, string> = body ? { 'content-type': 'application/json' } : {};
    const answer = await world.call(method, path, { body, headers });
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect([answer.status, answer.json.status, answer.json.code]).toEqual([status, status, code]);
    expect(answer.json).toMatchObject({ type: `/docs/errors/${code}`, title: ERRORS[code].meaning });
  });

  it('with another method is told which there are', async () => {
    expect((await world.call('DELETE', '/v1/limits')).headers.allow).toBe('GET, HEAD');
    expect((await world.call('POST', '/v1/limits/GBP', { body: {} })).headers.allow).toBe('PUT, DELETE');
  });

  it('of another media type is refused', async () => {
    const { status, json } = await world.post('/v1/orders', '<order/>', { 'content-type': 'application/xml' });
    expect([status, json.code]).toEqual([415, 'OMS_API_MEDIA_TYPE']);
  });

  it('with a body past the limit is refused', async () => {
    const call = callerOf(await world.another({ OMS_API_BODY_LIMIT: '1024' }));
    const { status, json } = await call('POST', '/v1/orders', { body: { ...newOrder, customerId: 'x'.repeat(2_000) } });
    expect([status, json.code]).toEqual([413, 'OMS_API_BODY_TOO_LARGE']);
  });

  it('past the rate limit is told when to come again', async () => {
    const call = callerOf(await world.another({ OMS_API_RATE_LIMIT: '2' }));
    const answers = await Promise.all(Array.from({ length: 6 }, () => call('GET', '/v1/limits')));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]?.json).toMatchObject({ code: 'OMS_API_RATE_LIMITED', status: 429, retryable: true });
    expect(Number(refused[0]?.headers['retry-after'])).toBeGreaterThanOrEqual(1);
  });

  it('is answered 503 while the database is away, and 500 without a word of it where we are at fault', async () => {
    const posting = { ...world.deps.posting, codec: { ...world.deps.codec, encode: () => fail('secret detail') } };
    const atFault = callerOf(await world.another({}, { posting }));
    const answer = await atFault('POST', '/v1/orders', { body: newOrder });
    expect([answer.status, answer.json.code]).toEqual([500, 'OMS_API_INTERNAL']);
    expect(answer.text).not.toContain('secret detail');
    const away = { encode: () => fail(new OmsError('OMS_DATABASE_UNAVAILABLE', 'away')) };
    const without = { ...world.deps.posting, codec: { ...world.deps.codec, ...away } };
    const { status, json } = await callerOf(await world.another({}, { posting: without }))('POST', '/v1/orders', {
      body: newOrder,
    });
    expect([status, json.code, json.retryable]).toEqual([503, 'OMS_DATABASE_UNAVAILABLE', true]);
  });
});

function fail(reason: string | Error): never {
  throw typeof reason === 'string' ? new Error(reason) : reason;
}

describe('The access log', () => {
  it('names requests by route, and never what people typed', async () => {
    const email = 'jane.doe@example.org';
    const phone = '+441632960961';
    const shipTo = { name: 'Jane Doe', line1: email, line2: phone, country: 'GB' };
    const headers = { 'content-type': 'application/json' };
    const posts = [
      JSON.stringify({ ...newOrder, customerId: email, shipTo }),
      JSON.stringify({ ...newOrder, customerId: `${email}\u0000`, shipTo }),
      `{"customerId": "${email}", "phone": "${phone}"`,
    ];
    for (const body of posts) await world.post('/v1/orders', body, { ...headers, 'idempotency-key': email });
    const paths = [
      '/v1/orders?q=',
      '/v1/orders/',
      '/v1/customers/',
      '/v1/invoices/',
      '/v1/odd/',
      '/v1/orders?odd=',
      '/',
    ];
    for (const path of paths) await world.get(`${path}${encodeURIComponent(email)}${encodeURIComponent(phone)}`);
    await world.get(`/v1/customers/${email}/spend?${phone}=${phone}`);
    const faulty = { ...world.deps.codec, encode: () => fail(leak(email)) };
    const app = await world.another({}, { posting: { ...world.deps.posting, codec: faulty } });
    expect((await callerOf(app)('POST', '/v1/orders', { body: { ...newOrder, shipTo } })).status).toBe(500);
    const log = world.log();
    for (const route of ['/v1/orders', '/v1/orders/:id', '(none)']) expect(log).toContain(`"route":"${route}"`);
    expect(log).toContain('request failed');
    for (const typed of ['jane', 'Jane', 'example.org', '1632960961', encodeURIComponent(email)]) {
      expect(log).not.toContain(typed);
    }
  });
});

/** What PostgreSQL says beside its message may hold a whole row. */
const leak = (row: string): Error =>
  Object.assign(new Error('null value breaks a rule'), { code: '23502', detail: `Failing row contains (${row}).` });

describe('The OpenAPI document', () => {
  it('is served as it is written down, with every operation of /v1 and none beside', async () => {
    const { json } = await world.get('/openapi.json');
    expect(json).toEqual(world.app.swagger());
    expect(json.openapi).toBe('3.1.0');
    const paths = Object.keys(json.paths as object);
    expect(paths).toContain('/v1/orders/{id}/cancel');
    expect(paths.filter((path) => !path.startsWith('/v1/'))).toEqual([]);
  });

  it('tells of each operation how it fails', async () => {
    const operations = Object.values((await world.get('/openapi.json')).json.paths as Record<string, object>).flatMap(
      (path) => Object.values(path) as { operationId: string; responses: Record<string, object> }[],
    );
    for (const { operationId, responses } of operations) {
      const problems = ['400', '429', '500', '503'].map((status) => responses[status]);
      const schema = { $ref: '#/components/schemas/Problem' };
      const content = { 'application/problem+json': { schema } };
      expect({ operationId, problems }).toMatchObject({ problems: problems.map(() => ({ content })) });
    }
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
  });

  it('is a page at /docs that loads nothing from elsewhere', async () => {
    const page = await world.get('/docs');
    expect(page.status).toBe(200);
    expect(page.headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self';/);
    const loaded = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => String(address));
    expect(loaded.length).toBeGreaterThan(3);
    for (const address of loaded) {
      expect(address).toMatch(/^\/docs\/static\//);
      expect((await world.get(address)).status).toBe(200);
    }
    const start = await world.get('/docs/static/swagger-initializer.js');
    expect(start.text).not.toMatch(/["'`]https?:\/\//);
  });
});

describe('/docs/errors', () => {
  it('lists every code and explains each', async () => {
    const list = await world.get('/docs/errors');
    expect(list.headers['content-type']).toBe('text/html; charset=utf-8');
    for (const code of Object.keys(ERRORS)) {
      expect(list.text).toContain(`href="/docs/errors/${code}"`);
      const page = await world.get(`/docs/errors/${code}`);
      expect(page.status).toBe(200);
      expect(page.text).toContain(`<title>${code}</title>`);
    }
  });
});
