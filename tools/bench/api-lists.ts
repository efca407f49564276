import { writeCursor } from '../../database/read/cursor.ts';
import type { Endpoints } from '../../local/stack.ts';
import { startApi } from './api-role.ts';
import { fillOrders } from './many-orders.ts';
import type { Row } from './table.ts';
import { createWorld } from './world.ts';

const ORDERS = 1_000_000;
const TARGET_MS = 100;
const REQUESTS = 40;
const DAY_MS = 86_400_000;

const daysAgo = (days: number): string => new Date(Date.now() - days * DAY_MS).toISOString();
const YEAR_AGO = daysAgo(365);

/** Ways to look for orders: each filter common and rare, and pairs that help or hinder each other. */
const FILTERS: Record<string, Record<string, string>> = {
  'no filter': {},
  'status, common': { status: 'completed' },
  'status, rare': { status: 'customerActionRequired' },
  'status, only untaken and new': { status: 'pending' },
  'statuses, common and rare': { status: 'completed,customerActionRequired' },
  'statuses, rare': { status: 'failed,timedOut,partiallyCompleted' },
  'all statuses of open orders': { status: 'pending,processing,customerActionRequired' },
  'customer with 17,000 orders': { customer: 'customer-1' },
  'customer with a few': { customer: 'customer-100000' },
  'customer unknown': { customer: 'nobody' },
  'source, common': { source: 'shop' },
  'source, only two years ago': { source: 'legacy' },
  'source unknown': { source: 'none' },
  'sku in a fifth of the orders': { sku: 'sku-1' },
  'sku in a few': { sku: 'sku-4999' },
  'sku unknown': { sku: 'nothing' },
  'from a day': { from: daysAgo(30) },
  'to a year ago': { to: YEAR_AGO },
  'one day': { from: YEAR_AGO, to: daysAgo(364) },
  'overdue, any': { overdue: 'any' },
  'overdue, one kind': { overdue: 'deliverBy' },
  'text: an order id': { q: 'web-000500000' },
  'text: the beginning of half of the ids': { q: 'web-' },
  'text: a customer with 17,000 orders': { q: 'customer-1' },
  'text: a tracking number': { q: 'T0000700001' },
  'text: an invoice': { q: 'INV-00300000' },
  'text: nothing': { q: 'no such thing' },
  'customer and rare status': { customer: 'customer-1', status: 'customerActionRequired' },
  'customer and sku': { customer: 'customer-1', sku: 'sku-1' },
  'customer and rare sku': { customer: 'customer-1', sku: 'sku-4999' },
  'customer and source long gone': { customer: 'customer-1', source: 'legacy' },
  'customer and overdue': { customer: 'customer-1', overdue: 'any' },
  'common sku and common status': { sku: 'sku-1', status: 'completed' },
  'common sku and cancelled': { sku: 'sku-1', status: 'cancelled' },
  'sku of 7,000 and cancelled': { sku: 'sku-12', status: 'cancelled' },
  'sku of 7,000 and customer': { sku: 'sku-12', customer: 'customer-1' },
  'sku and text': { sku: 'sku-4999', q: 'customer-1' },
  'common sku and rare status': { sku: 'sku-1', status: 'customerActionRequired' },
  'common sku and open': { sku: 'sku-1', status: 'pending,processing' },
  'common sku and source long gone': { sku: 'sku-1', source: 'legacy' },
  'common sku and customer with a few': { sku: 'sku-1', customer: 'customer-100000' },
  'common sku and overdue': { sku: 'sku-1', overdue: 'any' },
  'rare sku and common status': { sku: 'sku-4999', status: 'completed' },
  'common status and source long gone': { status: 'completed', source: 'legacy' },
  'rare status and source long gone': { status: 'cancelled', source: 'legacy' },
  'rare status and common source': { status: 'timedOut', source: 'shop' },
  'open, up to a year ago': { status: 'processing', to: YEAR_AGO },
  'source long gone, since a month': { source: 'legacy', from: daysAgo(30) },
  'overdue and rare status': { overdue: 'any', status: 'cancelled' },
  'customer, a month': { customer: 'customer-1', from: daysAgo(30) },
  'common sku, a year ago': { sku: 'sku-1', to: YEAR_AGO },
  'everything at once': {
    ...{
      customer: 'customer-1',
      sku: 'sku-1',
      status: 'completed',
      source: 'shop',
      overdue: 'any',
      from: daysAgo(700),
    },
  },
};

/** Ways to look for shipments. */
const SHIPMENT_FILTERS: Record<string, Record<string, string>> = {
  'no filter': {},
  'carrier, common': { carrier: 'south' },
  'carrier long gone': { carrier: 'gone' },
  'carrier unknown': { carrier: 'nobody' },
  'status, common': { status: 'delivered' },
  'status, only two years ago': { status: 'returned' },
  'statuses, rare': { status: 'returned,cancelled' },
  'status, none has it': { status: 'deliveryFailed' },
  'common carrier and rare status': { carrier: 'north', status: 'cancelled' },
  'carrier long gone and common status': { carrier: 'gone', status: 'delivered' },
  pending: { pending: 'true' },
  'not pending, carrier long gone': { pending: 'false', carrier: 'gone' },
};

/** Milliseconds of one way to look, in order. */
export interface Measured {
  name: string;
  ms: number[];
}

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

/** The first page, the one after it, and pages deep down, as a person and as a program would ask for them. */
async function* pagesOf(url: string, filter: Record<string, string>): AsyncGenerator<number> {
  let next: string | null = null;
  for (let i = 0; i < REQUESTS; i++) {
    const deep = writeCursor({ at: Date.now() - i * 15 * DAY_MS, id: 'web-' });
    const cursor: string | null = [null, next, deep][i % 3] ?? null;
    const query = new URLSearchParams({
      ...filter,
      limit: i % 2 ? '50' : '200',
      ...(cursor ? { cursor } : {}),
    }).toString();
    const began = performance.now();
    const answer = await fetch(`${url}?${query}`);
    const page = (await answer.json()) as { next: string | null };
    if (!answer.ok) throw new Error(`${answer.status} to ${query}: ${JSON.stringify(page)}`);
    yield performance.now() - began;
    next = i % 3 === 0 ? page.next : next;
  }
}

/** Each way to look, one request after the other. */
async function measureLists(url: string): Promise<Measured[]> {
  const measured: Measured[] = [];
  for (const [list, filters] of Object.entries({ orders: FILTERS, shipments: SHIPMENT_FILTERS })) {
    for (const [name, filter] of Object.entries(filters)) {
      const ms: number[] = [];
      for await (const one of pagesOf(`${url}/v1/${list}`, filter)) ms.push(one);
      measured.push({ name: `${list}: ${name}`, ms: ms.sort((a, b) => a - b) });
    }
  }
  return measured;
}

/** Lists of 1,000,000 orders and as many shipments, over HTTP, in every way it can be filtered and paged. */
export async function listsOfAMillion(endpoints: Endpoints): Promise<Row[]> {
  const world = await createWorld(endpoints);
  await fillOrders(world.environment.DATABASE_URL ?? '', ORDERS);
  const api = await startApi(world);
  const measured = await measureLists(api.apiUrl);
  await api.stop();
  await world.close();
  const slowest = measured.toSorted((a, b) => percentile(b.ms, 0.95) - percentile(a.ms, 0.95));
  const all = measured.flatMap(({ ms }) => ms).sort((a, b) => a - b);
  return [
    {
      what: `lists of ${ORDERS.toLocaleString('en')} orders and as many shipments, all ways to look, median`,
      measured: percentile(all, 0.5),
      unit: 'ms',
    },
    ...slowest.slice(0, 5).map(({ name, ms }) => ({
      what: `its p95, ${name}`,
      measured: percentile(ms, 0.95),
      unit: 'ms',
      against: { what: 'target', value: TARGET_MS, better: 'lower' as const },
    })),
  ];
}
