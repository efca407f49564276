import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, bundleWorkflowCode } from '@temporalio/worker';
import pLimit from 'p-limit';
import { LIFECYCLE_SIGNAL, ORDER_WORKFLOW, SHIPMENT_STATUS_SIGNAL } from '../../domain/contract.ts';
import { orderWorkflowId } from '../../domain/ids.ts';
import { PRELOAD_MODULES, WORKFLOWS_PATH, taskQueueName } from '../../workers/worker.ts';
import { createFulfillmentWorld } from '../helpers/fulfillment-world.ts';
import type { FulfillmentWorld } from '../helpers/fulfillment-world.ts';
import { testEnvironment } from '../helpers/stack.ts';
import { waitFor } from '../helpers/wait.ts';
import { spawnWorker } from '../helpers/workers.ts';

/** Two shipments an order; so many orders are on their way when the worker is killed. */
const ORDERS = process.env.OMS_TEST_LONG ? 20 : 3;
/** Most of the time Temporal waits for a worker that is gone. */
const SIDE_BY_SIDE = 4;
const HANGS_AFTER_MS = 600_000;

const around = (...names: string[]): string[] => names.flatMap((name) => [`before ${name}`, `after ${name}`]);
const DELIVERED = around('takeOrder', 'tryFulfil', 'charge', 'book', 'closeOrder');
const CANCELLED = around('beginCancel', 'callOffShipments', 'cancel', 'refundFulfillments', 'refund');

let directory: string;
let bundlePath: string;
let client: Client;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'oms-test-'));
  bundlePath = join(directory, 'workflows.js');
  const { code } = await bundleWorkflowCode({
    workflowsPath: WORKFLOWS_PATH,
    preloadModules: PRELOAD_MODULES,
    logger: new DefaultLogger('WARN'),
  });
  await writeFile(bundlePath, code);
  client = new Client({ connection: await Connection.connect({ address: testEnvironment().TEMPORAL_ADDRESS }) });
});
afterAll(async () => {
  await client.connection.close();
  await rm(directory, { recursive: true, force: true });
});

interface Story {
  world: FulfillmentWorld;
  ids: string[];
}

/** What every order has come to: its events by type, its money, its status. */
async function endOf({ world, ids }: Story): Promise<unknown[]> {
  return Promise.all(
    ids.map(async (id) => {
      const told = (await world.told(id)).filter(({ topic }) => topic !== 'order-status');
      const events = told.map(({ eventId }) => eventId.slice(id.length)).sort();
      const money = await Promise.all([1, 2].map((n) => world.charged(`${id}:${n}`)));
      const orders = world.db.selectFrom('orders').select('status').where('order_id', '=', id);
      return { events, money, ...(await orders.executeTakeFirst()) };
    }),
  );
}

const fact = (n: number, ...types: string[]): string[] => types.map((type) => `/${n}/${type}/1`);
const both = (...types: string[]): string[] => [...fact(1, ...types), ...fact(2, ...types)].sort();
/** 10.00 and 20 % tax, 5.00 shipping. */
const TOTAL = 1_700;
const CHARGED = ['InvoiceIssued', 'InvoicePaid', 'ShipmentBooked'];
const DELIVERED_END = {
  events: both(...CHARGED, 'ShipmentDispatched', 'Delivered'),
  money: [1, 2].map(() => ({ taken: TOTAL, refunded: 0 })),
  status: 'completed',
};
const CANCELLED_END = {
  events: both(...CHARGED, 'ShipmentCancelled', 'CreditNoteIssued', 'InvoiceRefunded'),
  money: [1, 2].map(() => ({ taken: TOTAL, refunded: TOTAL })),
  status: 'cancelled',
};

/** Plays the orders with a worker that kills itself at the boundary and one after it; answers what they come to. */
async function survive(killAt: string, isCancelled: boolean): Promise<void> {
  const world = await createFulfillmentWorld();
  const { TEMPORAL_ADDRESS: temporalAddress, SCHEMA_REGISTRY_URL: registryUrl } = testEnvironment();
  const options = { url: world.url, prefix: world.prefix, registryUrl, temporalAddress, bundlePath };
  const ids = Array.from({ length: ORDERS }, (_, i) => `${world.prefix}${i}`);
  const story = { world, ids };
  const workers = [spawnWorker({ ...options, killAt })];
  try {
    await world.stock([
      { warehouse: 'east', sku: 'e', onHand: 100 },
      { warehouse: 'west', sku: 'w', onHand: 100 },
    ]);
    await start(story);
    const ending = finish(story, isCancelled);
    expect(await Promise.race([workers[0]?.gone, ending])).toBe('SIGKILL');
    workers.push(spawnWorker(options));
    await ending;
    expect(await endOf(story)).toEqual(ids.map(() => (isCancelled ? CANCELLED_END : DELIVERED_END)));
    await checkBooks(world, isCancelled);
    expect(await workers[1]?.end('SIGTERM')).toBe('0');
  } catch (error) {
    throw new Error(workers.map((worker) => worker.log()).join('\n'), { cause: error });
  } finally {
    await Promise.all(workers.map((worker) => worker.end('SIGKILL')));
    await world.drop();
  }
}

async function start({ world, ids }: Story): Promise<void> {
  for (const orderId of ids) {
    await world.place(orderId, [{ sku: 'e' }, { sku: 'w' }]);
    await client.workflow.start(ORDER_WORKFLOW, {
      taskQueue: taskQueueName(world.prefix),
      workflowId: orderWorkflowId(orderId),
      args: [{ v: 1, orderId, timers: { customerActionMs: 60_000, carrierOverdueMs: 600_000 }, parked: [] }],
    });
  }
}

/** Delivers or cancels what is booked, and waits for the workflows' ends. */
async function finish({ world, ids }: Story, isCancelled: boolean): Promise<void> {
  await Promise.all(
    ids.map(async (id) => {
      await waitFor(`${id} to be booked`, () => areBooked(world, id), HANGS_AFTER_MS);
      const handle = client.workflow.getHandle(orderWorkflowId(id));
      if (isCancelled) {
        const cancel = { v: 1, kind: 'cancel', eventId: 'cancel-1', reason: 'test', fulfillmentId: null };
        await handle.signal(LIFECYCLE_SIGNAL, cancel);
      } else {
        for (const n of [1, 2]) await world.news(`${id}:${n}`, 'delivered');
        await handle.signal(SHIPMENT_STATUS_SIGNAL, { shipmentID: `${id}:2`, status: 'delivered', updatedAt: '' });
      }
      await handle.result();
    }),
  );
}

async function areBooked({ db }: FulfillmentWorld, orderId: string): Promise<boolean> {
  const shipments = db.selectFrom('shipments').select('status').where('order_id', '=', orderId);
  return (await shipments.execute()).filter(({ status }) => status === 'booked').length === 2;
}

/** Invoices are numbered without a gap, and of the stock exactly what was shipped is gone. */
async function checkBooks(world: FulfillmentWorld, isCancelled: boolean): Promise<void> {
  const invoices = await world.db.selectFrom('invoices').select('number').orderBy('number').execute();
  expect(invoices.map(({ number }) => number)).toEqual(invoices.map((_, i) => i + 1));
  const onHand = isCancelled ? 100 : 100 - ORDERS;
  expect(await world.stockOf('e')).toEqual({ east: { onHand, reserved: 0 } });
  expect(await world.stockOf('w')).toEqual({ west: { onHand, reserved: 0 } });
}

describe('A worker killed with SIGKILL', () => {
  const cases = [
    ...DELIVERED.map((boundary) => [boundary, 'delivered'] as const),
    ...CANCELLED.map((boundary) => [boundary, 'cancelled'] as const),
  ];
  const outcomes = new Map<string, Promise<unknown>>();
  beforeAll(() => {
    const limiter = pLimit(SIDE_BY_SIDE);
    for (const [boundary, end] of cases)
      outcomes.set(
        boundary,
        limiter(() => survive(boundary, end === 'cancelled')).catch((error: unknown) => error),
      );
  });
  afterAll(() => Promise.all(outcomes.values()));

  it.each(cases)(
    '%s leaves two-shipment orders that are %s: same events, same totals',
    async (boundary, _end) => {
      expect(await outcomes.get(boundary)).toBeUndefined();
    },
    HANGS_AFTER_MS,
  );
});
