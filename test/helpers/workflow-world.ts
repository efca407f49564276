import { Client, Connection } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import { DefaultLogger, NativeConnection, bundleWorkflowCode } from '@temporalio/worker';
import type { WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { LIFECYCLE_SIGNAL, ORDER_WORKFLOW, STATUS_QUERY } from '../../domain/contract.ts';
import type { OrderInput, OrderResult, OrderState, OrderTimers } from '../../domain/contract.ts';
import { orderWorkflowId } from '../../domain/ids.ts';
import type { LifecycleMessage } from '../../domain/order-messages.ts';
import { createCarrierReceiver } from '../../ingest/carrier/receiver.ts';
import type { CarrierNews, TrackedStatus } from '../../providers/carrier/port.ts';
import type { Activities } from '../../workers/activities/index.ts';
import {
  PRELOAD_MODULES,
  WORKFLOWS_PATH,
  createOrderWorker,
  installRuntime,
  taskQueueName,
} from '../../workers/worker.ts';
import type { WholeDatabase } from './database.ts';
import { createFulfillmentWorld } from './fulfillment-world.ts';
import type { FulfillmentWorld, FulfillmentWorldOptions } from './fulfillment-world.ts';
import { silent } from './order-world.ts';
import { testEnvironment } from './stack.ts';
import { waitFor } from './wait.ts';

/** A fulfillment world with a real worker on the real Temporal, on a task queue of its own. */
export interface WorkflowWorld extends FulfillmentWorld {
  client: Client;
  bundle: WorkflowBundleWithSourceMap;
  /** An order id no other test run uses: workflow ids live in a namespace they share. */
  id(name: string): string;
  /** Places the order and starts its workflow. */
  start(orderId: string, items: Parameters<FulfillmentWorld['place']>[1], input?: Partial<OrderInput>): Promise<Handle>;
  /** Starts the workflow of an order that was placed before. */
  run(orderId: string, input?: Partial<OrderInput>): Promise<Handle>;
  /** Has a provider refuse a key before it is asked. */
  refuse(keys: { charge?: string; booking?: string }): Promise<void>;
  /** The carrier delivers and says nothing. */
  arrive(shipmentId: string): Promise<void>;
  /** Tells the workflow of a lifecycle event. */
  signal(orderId: string, message: LifecycleMessage): Promise<void>;
  /** Resolves when the order is where the test wants it, by its `status` query. */
  until(orderId: string, holds: (state: OrderState) => boolean): Promise<OrderState>;
  /** The carrier tells its news, as it reaches the OMS. */
  hear(status: TrackedStatus, ...shipmentIds: string[]): Promise<void>;
  /** The same news under an id of its own: a carrier that speaks of it once more. */
  hearAgain(updateId: string, status: TrackedStatus, shipmentId: string): Promise<void>;
  /** How often an order is billed, shipped and so on, by event type. */
  toldTypes(orderId: string): Promise<Record<string, number>>;
}

type Handle = WorkflowHandle<(input: OrderInput) => Promise<OrderResult>>;

export interface WorkflowWorldOptions extends FulfillmentWorldOptions {
  /** Changes what the activities do, for faults that no provider can make. */
  change?: (activities: Activities) => Activities;
}

/** Long enough that no test runs into one by chance. */
const TIMERS: OrderTimers = { customerActionMs: 60_000, carrierOverdueMs: 600_000 };

export async function createWorkflowWorld(options: WorkflowWorldOptions = {}): Promise<WorkflowWorld> {
  const { change = (activities) => activities } = options;
  installRuntime(silent);
  const world = await createFulfillmentWorld(options);
  const address = testEnvironment().TEMPORAL_ADDRESS;
  const connection = await Connection.connect({ address });
  const native = await NativeConnection.connect({ address });
  const client = new Client({ connection });
  const bundle = await bundleWorkflowCode({
    workflowsPath: WORKFLOWS_PATH,
    preloadModules: PRELOAD_MODULES,
    logger: new DefaultLogger('WARN'),
  });
  const worker = await createOrderWorker({
    connection: native,
    namespace: 'default',
    prefix: world.prefix,
    activities: change(world.activities),
    slots: 50,
    poolSize: 8,
    drainMs: 1_000,
    workflowBundle: bundle,
  });
  const running = worker.run();
  const receiver = createCarrierReceiver({
    ...world,
    temporal: client,
    logger: silent,
    count: () => undefined,
    parkingDeadlineMs: 60_000,
  });
  const run: WorkflowWorld['run'] = (orderId, input = {}) => {
    const args: [OrderInput] = [{ v: 1, orderId, timers: TIMERS, parked: [], ...input }];
    const workflowId = orderWorkflowId(orderId);
    return client.workflow.start(ORDER_WORKFLOW, { taskQueue: taskQueueName(world.prefix), workflowId, args });
  };
  return {
    ...world,
    client,
    bundle,
    id: (name) => world.prefix + name,
    run,
    start: async (orderId, items, input) => {
      await world.place(orderId, items);
      return run(orderId, input);
    },
    refuse: (keys) => refuse(world.db, keys),
    arrive: async (shipmentId) => {
      const arrived = { status: 'delivered', next_status: null, next_at: null };
      await world.db.updateTable('simulated_bookings').set(arrived).where('key', '=', shipmentId).execute();
    },
    signal: (orderId, message) => client.workflow.getHandle(orderWorkflowId(orderId)).signal(LIFECYCLE_SIGNAL, message),
    until: (orderId, holds) =>
      waitFor(`${orderId} to come so far`, async () => {
        const state = await client.workflow.getHandle(orderWorkflowId(orderId)).query<OrderState>(STATUS_QUERY);
        return holds(state) && state;
      }),
    hear: async (status, ...shipmentIds) => {
      const news = shipmentIds.map((id) => newsOf(id, status));
      const done = await receiver.deliver(news);
      if (done.size !== news.length) throw new Error(`news not taken in: ${receiver.check() ?? ''}`);
    },
    hearAgain: async (updateId, status, shipmentId) => {
      const done = await receiver.deliver([{ ...newsOf(shipmentId, status), updateId }]);
      if (!done.has(updateId)) throw new Error(`news not taken in: ${receiver.check() ?? ''}`);
    },
    toldTypes: async (orderId) => {
      const types = (await world.told(orderId)).flatMap(({ type }) => (typeof type === 'string' ? [type] : []));
      return Object.fromEntries(
        Object.entries(Object.groupBy(types, (type) => type)).map(([t, all]) => [t, all?.length ?? 0]),
      );
    },
    drop: async () => {
      worker.shutdown();
      await running;
      await native.close();
      await connection.close();
      await world.drop();
    },
  };
}

/** The providers' memory says no already when they are asked. */
async function refuse(db: WholeDatabase, keys: { charge?: string; booking?: string }): Promise<void> {
  if (keys.charge !== undefined) {
    const declined = { status: 'declined', reference: 'ch_declined', decline_reason: 'insufficient funds' };
    const charge = { key: keys.charge, customer_id: 'customer-1', currency: 'GBP', amount: 0, ...declined };
    await db.insertInto('simulated_charges').values(charge).execute();
  }
  if (keys.booking !== undefined) {
    const booking = { key: keys.booking, status: 'refused', reference: 'BK-0', tracking_number: '' };
    await db.insertInto('simulated_bookings').values(booking).execute();
  }
}

function newsOf(shipmentId: string, status: TrackedStatus): CarrierNews {
  const updateId = `${shipmentId}/${status}`;
  return { updateId, shipmentId, status, at: Date.now(), carrier: 'Carrier', trackingNumber: null, detail: null };
}
