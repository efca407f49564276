import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { openDatabase } from '../../database/database.ts';
import { fewestShipments } from '../../domain/allocation.ts';
import { ORDER_WORKFLOW, SHIPMENT_STATUS_SIGNAL } from '../../domain/contract.ts';
import { orderWorkflowId } from '../../domain/ids.ts';
import { createCarrierMetrics } from '../../ingest/carrier/metrics.ts';
import { createCarrierReceiver } from '../../ingest/carrier/receiver.ts';
import type { CarrierReceiver, CarrierReceiverOptions } from '../../ingest/carrier/receiver.ts';
import { readProgress } from '../../orders/record/progress.ts';
import { recordCharges } from '../../orders/steps/charge.ts';
import { closeOrder } from '../../orders/steps/close.ts';
import { drawInvoices } from '../../orders/steps/draw.ts';
import { recordBookings } from '../../orders/steps/shipping.ts';
import { takeOrder } from '../../orders/steps/take.ts';
import { loadConfig } from '../../platform/config/load.ts';
import { createMetrics } from '../../platform/metrics.ts';
import type { Registry } from '../../platform/metrics.ts';
import type { CarrierNews, TrackedStatus } from '../../providers/carrier/port.ts';
import { createCarrierSimulator } from '../../providers/carrier/simulator.ts';
import { carrierPushes } from '../../resources/providers.ts';
import { createOrderWorld, silent } from '../helpers/order-world.ts';
import type { OrderWorld } from '../helpers/order-world.ts';
import { testEnvironment } from '../helpers/stack.ts';
import { waitFor } from '../helpers/wait.ts';

const PARKING = { parkingDeadlineMs: 60_000 };
const PRICING = { taxRates: {}, shippingPrices: {} };
const NOWHERE = '127.0.0.1:1';
let world: OrderWorld;
let connection: Connection;
let temporal: Client;
let orderId: string;

beforeAll(async () => {
  world = await createOrderWorld();
  connection = await Connection.connect({ address: testEnvironment().TEMPORAL_ADDRESS });
  temporal = new Client({ connection });
  const stock = { onHand: 1_000 };
  await world.stock([
    { warehouse: 'north', sku: 'MUG', ...stock },
    { warehouse: 'south', sku: 'CUP', ...stock },
  ]);
});
afterAll(async () => {
  await connection.close();
  await world.drop();
});

/** An order of two booked shipments, and its workflow: nobody works on it, so its history shows what it was told. */
beforeEach(async () => {
  orderId = `order-${randomUUID()}`;
  await world.place(orderId, [{ sku: 'MUG' }, { sku: 'CUP' }]);
  const ids = [`${orderId}:1`, `${orderId}:2`];
  const deps = { ...world, strategy: fewestShipments, pricing: PRICING };
  await takeOrder(deps, orderId, 'run-1');
  const { order } = await drawInvoices(deps, orderId, ids);
  const approved = { status: 'approved', reference: 'r', authCode: 'a' } as const;
  const charged = await recordCharges(
    deps,
    order,
    ids.map((fulfillmentId) => ({ fulfillmentId, ...approved })),
  );
  const booked = {
    status: 'booked',
    carrier: 'c',
    reference: 'r',
    trackingNumber: 't',
    service: 's',
    price: 1,
  } as const;
  await recordBookings(
    deps,
    charged,
    ids.map((shipmentId) => ({ shipmentId, ...booked })),
  );
  await temporal.workflow.start(ORDER_WORKFLOW, { workflowId: orderWorkflowId(orderId), taskQueue: orderId, args: [] });
});
afterEach(() => temporal.workflow.getHandle(orderWorkflowId(orderId)).terminate());

function receiver(over: Partial<CarrierReceiverOptions> = {}) {
  const metrics = createMetrics('ingest');
  const count = createCarrierMetrics(metrics, world.db);
  return { metrics, ...createCarrierReceiver({ ...world, ...PARKING, temporal, logger: silent, count, ...over }) };
}

function news(n: number, status: TrackedStatus, shipmentId = `${orderId}:${n}`): CarrierNews {
  const ids = { updateId: `${shipmentId}/${status}`, shipmentId };
  return { ...ids, status, at: Date.UTC(2026, 0, 2), carrier: 'c', trackingNumber: 't', detail: null };
}

const shipments = async () => (await readProgress(world.db, orderId)).fulfillments.map(({ shipment }) => shipment);

/** Pushes by what became of them. */
async function counted(metrics: Registry): Promise<Record<string, number>> {
  const [family] = (await metrics.getMetricsAsJSON()).filter(({ name }) => name === 'oms_carrier_news_total');
  return Object.fromEntries((family?.values ?? []).map(({ labels, value }) => [String(labels['outcome']), value]));
}

async function signals(): Promise<Record<string, string>[]> {
  const { events } = await temporal.workflow.getHandle(orderWorkflowId(orderId)).fetchHistory();
  return (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) => {
    const data = signal?.input?.payloads?.[0]?.data;
    return signal?.signalName === SHIPMENT_STATUS_SIGNAL && data
      ? [JSON.parse(Buffer.from(data).toString()) as Record<string, string>]
      : [];
  });
}

/** Delivers as carriers do, again until it is done: a busy Temporal may need longer than one attempt waits for it. */
async function untilTaken({ deliver }: Pick<CarrierReceiver, 'deliver'>, all: CarrierNews[]): Promise<void> {
  await waitFor('the news to be taken in', async () => (await deliver(all)).size === all.length);
}

const DELIVER_ALL = () => [news(1, 'dispatched'), news(1, 'delivered'), news(2, 'dispatched'), news(2, 'delivered')];

describe('the carrier receiver', () => {
  it('writes news to the order and its events, in the order given for each shipment', async () => {
    const done = await receiver().deliver([news(1, 'dispatched'), news(2, 'dispatched'), news(1, 'delivered')]);
    expect(done.size).toBe(3);
    expect(await shipments()).toEqual(['delivered', 'dispatched']);
    const told = (await world.told(orderId)).map(({ eventId }) => eventId);
    expect(told).toEqual(expect.arrayContaining([`${orderId}/1/Delivered/1`, `${orderId}/2/ShipmentDispatched/1`]));
  });

  it('tells the workflow once all is settled, and not before', async () => {
    const { deliver } = receiver();
    await deliver([news(1, 'dispatched'), news(1, 'delivered'), news(2, 'dispatched')]);
    expect(await signals()).toEqual([]);
    await deliver([news(2, 'delivered')]);
    const updatedAt = new Date(Date.UTC(2026, 0, 2)).toISOString();
    expect(await signals()).toEqual([{ shipmentID: `${orderId}:2`, status: 'delivered', updatedAt }]);
  });

  it('tells the workflow again when the news comes again, because the first time may have been cut short', async () => {
    await untilTaken(receiver(), DELIVER_ALL());
    const before = { told: (await world.told(orderId)).length, signals: (await signals()).length };
    expect(before.signals).toBeGreaterThan(0);
    const { metrics, ...second } = receiver();
    await untilTaken(second, [news(2, 'delivered')]);
    expect((await world.told(orderId)).length).toBe(before.told);
    expect((await signals()).length).toBeGreaterThan(before.signals);
    expect(await metrics.metrics()).toMatch(/oms_carrier_news_total\{way="push",outcome="repeated",role="ingest"\} 1/);
  });

  it('is done with news of orders nobody knows, and keeps that of shipments that may come, and counts both', async () => {
    const { deliver, metrics } = receiver();
    const strangers = [news(1, 'dispatched', `${randomUUID()}:1`), news(9, 'dispatched')];
    expect((await deliver([...strangers, news(1, 'dispatched')])).size).toBe(3);
    expect(await shipments()).toEqual(['dispatched', 'booked']);
    expect(await counted(metrics)).toMatchObject({ unknown: 1, parked: 1, applied: 1 });
    expect(await metrics.metrics()).toMatch(/oms_carrier_news_parked\{role="ingest"\} 1/);
  });

  it('is done with a push that breaks the contract, and takes in what came with it', async () => {
    const { deliver, metrics } = receiver();
    const garbled = { ...news(1, 'dispatched'), updateId: 'garbled', status: 'lost in space' as TrackedStatus };
    expect((await deliver([garbled, news(2, 'dispatched')])).size).toBe(2);
    expect(await shipments()).toEqual(['booked', 'dispatched']);
    expect(await counted(metrics)).toMatchObject({ invalid: 1, applied: 1 });
  });

  it('tells late news from repeated news once the order has closed', async () => {
    await receiver().deliver(DELIVER_ALL());
    await closeOrder(world, orderId, { handled: [], timedOut: false });
    const { deliver, metrics } = receiver();
    await deliver([news(1, 'delivered'), news(1, 'deliveryFailed')]);
    expect(await counted(metrics)).toEqual({ repeated: 1, late: 1 });
    await deliver([news(1, 'deliveryFailed')]);
    expect(await counted(metrics)).toEqual({ repeated: 2, late: 1 });
  });

  it('tells the workflow of a return at once, whatever else is still on its way', async () => {
    await receiver().deliver([news(1, 'returnedToSender'), news(2, 'dispatched')]);
    expect(await signals()).toMatchObject([{ shipmentID: `${orderId}:1`, status: 'returned' }]);
  });

  it('is done with news whose workflow no longer runs', async () => {
    const handle = temporal.workflow.getHandle(orderWorkflowId(orderId));
    await handle.terminate();
    expect((await receiver().deliver(DELIVER_ALL())).size).toBe(4);
    await temporal.workflow.start(ORDER_WORKFLOW, { workflowId: handle.workflowId, taskQueue: orderId, args: [] });
  });

  it('is not done while Temporal is away, says so, and tells the workflow when the news comes again', async () => {
    const away = Connection.lazy({ address: NOWHERE });
    const cutOff = receiver({ temporal: new Client({ connection: away }) });
    const done = await cutOff.deliver(DELIVER_ALL());
    await away.close();
    const open = DELIVER_ALL().filter(({ updateId }) => !done.has(updateId));
    expect(open.length).toBeGreaterThan(0);
    expect(cutOff.check()).not.toBeNull();
    const later = receiver();
    expect((await later.deliver(open)).size).toBe(open.length);
    expect(later.check()).toBeNull();
    expect(await signals()).toHaveLength(1);
  });

  it('leaves later news of a shipment alone after news it could not write', async () => {
    const db = openDatabase({ url: `postgres://oms:oms@${NOWHERE}/oms`, poolSize: 1, applicationName: 'test' });
    const { deliver, metrics } = receiver({ db });
    expect((await deliver([news(1, 'dispatched'), news(1, 'delivered')])).size).toBe(0);
    await db.destroy();
    expect(await metrics.metrics()).toMatch(/oms_carrier_news_total\{way="push",outcome="away",role="ingest"\} 2/);
    expect(await shipments()).toEqual(['booked', 'booked']);
  });
});

describe('the simulated carrier’s way in', () => {
  it('brings booked shipments to their end by itself, also across a restart', async () => {
    const config = loadConfig({ ...testEnvironment(), DATABASE_URL: world.url, OMS_SIM_CARRIER_TRANSIT: '300 ms' });
    const carrier = createCarrierSimulator({ db: world.db, latencyMs: 0, pickupMs: 0, faults: [] });
    const start = () => carrierPushes(config, silent).start(receiver().deliver);
    const first = start();
    for (const n of [1, 2]) {
      const parcel = { warehouse: 'north', shipTo: null, items: [], currency: 'GBP', service: null };
      await carrier.book({ key: `${orderId}:${n}`, ...parcel });
    }
    await waitFor('both pick-ups', async () => !(await shipments()).includes('booked'));
    await first.stop();
    const second = start();
    await waitFor('both deliveries', async () => (await shipments()).every((status) => status === 'delivered'));
    await waitFor('the signal', async () => (await signals()).length > 0);
    expect(second.check()).toBeNull();
    await second.stop();
  });
});
