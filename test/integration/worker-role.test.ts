import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { ORDER_WORKFLOW } from '../../domain/contract.ts';
import { orderWorkflowId } from '../../domain/ids.ts';
import { loadConfig } from '../../platform/config/load.ts';
import { createMetrics } from '../../platform/metrics.ts';
import type { Check } from '../../platform/health.ts';
import type { RoleContext, RunningRole } from '../../platform/role.ts';
import { startUnguarded } from '../../resources/run-role.ts';
import { startWorkerRole } from '../../workers/main.ts';
import { taskQueueName } from '../../workers/worker.ts';
import { createOrderWorld, silent } from '../helpers/order-world.ts';
import type { OrderWorld } from '../helpers/order-world.ts';
import { testEnvironment } from '../helpers/stack.ts';
import { waitFor } from '../helpers/wait.ts';

let world: OrderWorld;
let connection: Connection;
let role: RunningRole;
let context: RoleContext;
const failures: string[] = [];

beforeAll(async () => {
  world = await createOrderWorld();
  await world.stock([{ warehouse: 'east', sku: 'e', onHand: 10 }]);
  connection = await Connection.connect({ address: testEnvironment().TEMPORAL_ADDRESS });
  const environment = { ...testEnvironment(), DATABASE_URL: world.url, OMS_PREFIX: world.prefix };
  const config = loadConfig({ ...environment, OMS_SHUTDOWN_GRACE: '8 s', OMS_SIM_CARRIER_LATENCY: '0 ms' });
  const shutdown = {
    requested: new Promise<string>(() => undefined),
    fail: (reason: string) => void failures.push(reason),
    exitCode: () => 0,
  };
  context = { config, logger: silent, metrics: createMetrics('worker'), shutdown };
  role = await startUnguarded('worker', startWorkerRole, context);
});
afterAll(async () => {
  await role.stop();
  await connection.close();
  await world.drop();
});

const faultsOf = async (checks: Record<string, Check>): Promise<(string | null)[]> =>
  Promise.all(Object.values(checks).map(async (check) => check()));

describe('The worker role', () => {
  it('says what it waits for until it polls, then is ready and alive', async () => {
    expect(await faultsOf(role.ready)).toContain('the worker does not poll yet');
    await waitFor('readiness', async () => (await faultsOf(role.ready)).every((fault) => fault === null));
    expect(await faultsOf(role.live)).toEqual([null]);
  });

  it('works on orders and counts them by status', async () => {
    const id = `${world.prefix}role`;
    await world.place(id, [{ sku: 'e' }]);
    const timers = { customerActionMs: 60_000, carrierOverdueMs: 600_000 };
    await new Client({ connection }).workflow.start(ORDER_WORKFLOW, {
      taskQueue: taskQueueName(world.prefix),
      workflowId: orderWorkflowId(id),
      args: [{ v: 1, orderId: id, timers, parked: [] }],
    });
    await waitFor('the booking', async () => (await world.told(id)).some(({ type }) => type === 'ShipmentBooked'));
    expect(await context.metrics.metrics()).toMatch(/oms_orders\{status="processing",role="worker"\} 1/);
    await new Client({ connection }).workflow.getHandle(orderWorkflowId(id)).terminate();
    expect(failures).toEqual([]);
  });
});
