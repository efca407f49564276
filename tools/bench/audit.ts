import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Client, Connection } from '@temporalio/client';
import pLimit from 'p-limit';
import { ORDERS_TASK_QUEUE, ORDER_WORKFLOW } from '../../domain/contract.ts';
import { orderWorkflowId } from '../../domain/ids.ts';
import type { Endpoints } from '../../local/stack.ts';
import type { AuditReport } from '../../operations/audit/audit.ts';
import { cloneRecords } from './clone-records.ts';
import { cloneRows, idOf } from './clone-rows.ts';
import { produceOrders, seedStock } from './orders.ts';
import { peakMemoryMb } from './process-stats.ts';
import type { Row } from './table.ts';
import { createWorld, until } from './world.ts';
import type { World } from './world.ts';

const OMS = join(import.meta.dirname, '..', '..', 'oms');
const ORDERS = 200_000;
/** Of them, the last ones: booked, with a workflow that runs. Temporal has forgotten all others. */
const OPEN = 2_000;
/** Orders whose providers are asked. */
const ASKED = 2_000;
const STARTS_AT_ONCE = 32;
const MEMORY_EVERY_MS = 200;

/** Parts that ask nobody outside, and the one that makes two calls an order. */
const OWN_PARTS = 'ledger,temporal,outbox,topics,input,stock,money';

const AT_ONCE_DELIVERED = { OMS_SIM_CARRIER_PICKUP: '1 ms', OMS_SIM_CARRIER_TRANSIT: '1 ms' };
const NEVER_FETCHED = { OMS_SIM_CARRIER_PICKUP: '20 d' };

/** `oms audit` over many orders, which are copies of two that went through the roles: one delivered, one booked. */
export async function auditOfMany(endpoints: Endpoints, orders = ORDERS, open = OPEN): Promise<Row[]> {
  const world = await createWorld(endpoints);
  await seedStock(world);
  await letThrough(world, 0, AT_ONCE_DELIVERED, `status = 'completed'`);
  await letThrough(
    world,
    1,
    NEVER_FETCHED,
    `exists (select from shipments s where s.order_id = o.order_id and s.status = 'booked')`,
  );
  await copy(world, orders, Math.min(open, orders - 2));
  const own = await measure(world, ['--only', OWN_PARTS]);
  const some = Array.from({ length: Math.min(orders, ASKED) }, (_, n) => ['--order', idOf(n)]);
  const asked = await measure(world, ['--only', 'providers', ...some.flat()]);
  await world.close();
  const many = orders.toLocaleString('en');
  return [
    {
      what: `audit of ${many} orders, ${own.records.toLocaleString('en')} records`,
      measured: own.rate,
      unit: 'orders/s',
    },
    {
      ...{ what: "the audit's peak memory", measured: Math.max(own.memory, asked.memory), unit: 'MB' },
      against: { what: 'target', value: 400, better: 'lower' },
    },
    { what: 'its part providers, two calls an order', measured: asked.rate, unit: 'orders/s' },
  ];
}

/** One order through all roles, until its row says so and everything of it is on its topic. */
async function letThrough(world: World, n: number, settings: Record<string, string>, is: string): Promise<void> {
  const quick = { OMS_SIM_CARRIER_LATENCY: '1 ms', OMS_SIM_PAYMENT_LATENCY: '1 ms', ...settings };
  const roles = await Promise.all(
    (['ingest', 'worker', 'publisher'] as const).map((one) => world.startRole(one, quick)),
  );
  await produceOrders(world, [idOf(n)], { lines: 1 });
  await until(`order ${n} to be where it should`, async () => {
    const { rowCount } = await world.sql.query(
      `select from orders o where order_id = $1 and ${is}
       and not exists (select from outbox where sent_at is null)`,
      [idOf(n)],
    );
    return rowCount === 1;
  });
  for (const role of roles) await role.stop();
}

async function copy(world: World, orders: number, open: number): Promise<void> {
  const began = performance.now();
  const closed = { template: 0, from: 2, to: orders - open };
  const booked = { template: 1, from: orders - open, to: orders };
  await Promise.all([cloneRows(world, [closed, booked]), cloneRecords(world, [closed, booked])]);
  await startWorkflows(world, booked.from, booked.to);
  process.stderr.write(`bench: ${orders} orders made in ${Math.round((performance.now() - began) / 1_000)} s\n`);
}

/** Nobody works on them: they stay open. */
async function startWorkflows(world: World, from: number, to: number): Promise<void> {
  const connection = await Connection.connect({ address: world.environment.TEMPORAL_ADDRESS ?? '' });
  const client = new Client({ connection });
  const limiter = pLimit(STARTS_AT_ONCE);
  const start = (orderId: string): Promise<unknown> =>
    client.workflow.start(ORDER_WORKFLOW, {
      ...{
        workflowId: orderWorkflowId(orderId),
        taskQueue: `${world.prefix}${ORDERS_TASK_QUEUE}`,
        args: [{ v: 1, orderId }],
      },
    });
  await Promise.all(Array.from({ length: to - from }, (_, i) => limiter(() => start(idOf(from + i)))));
  await connection.close();
}

interface Measured {
  rate: number;
  records: number;
  memory: number;
}

/** `oms audit` as an operator runs it. What it finds is a fault of the copies: they are to be in order. */
async function measure(world: World, options: readonly string[]): Promise<Measured> {
  const env = { ...process.env, ...world.environment };
  const child = spawn(OMS, ['audit', '--json', ...options], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let memory = 0;
  const timer = setInterval(() => {
    if (child.exitCode === null) memory = Math.max(memory, peakMemoryMb(child.pid ?? 0) || 0);
  }, MEMORY_EVERY_MS);
  const { orders, records, startedAt, endedAt, differences } = JSON.parse(await text(child.stdout)) as AuditReport;
  clearInterval(timer);
  if (differences[0]) throw new Error(`the copies are not in order: ${JSON.stringify(differences.slice(0, 3))}`);
  const seconds = (new Date(endedAt).getTime() - new Date(startedAt).getTime()) / 1_000;
  return { rate: orders / seconds, records, memory };
}
