import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import autocannon from 'autocannon';
import type { Request } from 'autocannon';
import type { Endpoints } from '../../local/stack.ts';
import { startApi } from './api-role.ts';
import type { Row } from './table.ts';
import { createWorld } from './world.ts';

const CONNECTIONS = 20;
const SECONDS = 10;
const HEADERS = { 'content-type': 'application/json' };

interface Load {
  /** Answers a second. */
  rate: number;
  p99: number;
}

/** Answers as fast as they come over so many connections. @throws Error when one is not a 2xx */
async function load(url: string, request: Request): Promise<Load> {
  const result = await autocannon({ url, connections: CONNECTIONS, duration: SECONDS, requests: [request] });
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${url}: ${result.non2xx} not 2xx, ${result.errors} errors`);
  return { rate: result.requests.average, p99: result.latency.p99 };
}

let placed = 0;
const orderBody = (): string =>
  JSON.stringify({
    orderId: `order-${++placed}`,
    customerId: `customer-${placed % 1_000}`,
    currency: 'GBP',
    items: ['sku-1', 'sku-2'].map((sku) => ({ sku, quantity: 1, unitPrice: 1_250 })),
  });
const anOrder: Request = {
  method: 'POST',
  headers: HEADERS,
  setupRequest: (request) => ({ ...request, body: orderBody() }),
};

const get = (path: string): Request => ({ method: 'GET', path });

/** Each route of the API beside a bare route of the same method in the same run, on loopback. */
export async function apiUnderLoad(endpoints: Endpoints): Promise<Row[]> {
  const world = await createWorld(endpoints);
  const api = await startApi(world);
  const bare = await startBare();
  const bareGet = await load(bare.url, get('/'));
  const barePost = await load(bare.url, { ...anOrder, path: '/' });
  placed = 0;
  const post = await load(api.apiUrl, { ...anOrder, path: '/v1/orders' });
  const list = await load(api.apiUrl, get('/v1/orders?limit=50'));
  const detail = await load(api.apiUrl, get('/v1/orders/order-1'));
  bare.stop();
  await api.stop();
  await world.close();
  return [
    ...rowsOf('a bare GET', bareGet),
    ...rowsOf('a bare POST', barePost),
    ...rowsOf('POST /v1/orders', post, barePost),
    ...rowsOf('GET /v1/orders, 50 a page', list, bareGet),
    ...rowsOf('GET /v1/orders/{id}', detail, bareGet),
  ];
}

function rowsOf(name: string, { rate, p99 }: Load, bare?: Load): Row[] {
  const beside = bare && { what: 'beside a bare one', value: bare.rate, better: 'higher' as const, isTarget: false };
  return [
    { what: `${name}, answers`, measured: rate, unit: '/s', ...(beside ? { against: beside } : {}) },
    { what: `${name}, p99 of ${CONNECTIONS} connections`, measured: p99, unit: 'ms' },
  ];
}

async function startBare(): Promise<{ url: string; stop: () => void }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'bare-route.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.once('exit', () => child.kill('SIGKILL'));
  const [url] = (await once(child.stdout, 'data')) as [Buffer];
  return { url: url.toString(), stop: () => void child.kill('SIGTERM') };
}
