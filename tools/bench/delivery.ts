import { readFileSync } from 'node:fs';
import { Client, Connection } from '@temporalio/client';
import { orderWorkflowId } from '../../domain/ids.ts';
import type { Stack } from '../../local/stack.ts';
import { produceOrders, seedStock } from './orders.ts';
import { cpuSeconds, peakMemoryMb } from './process-stats.ts';
import type { Row } from './table.ts';
import { createWorld, until } from './world.ts';
import type { Role, World } from './world.ts';

const ORDERS = 300;
const HISTORY_EVENTS = 60;
/** Orders/s of the Go reference to delivered, two shipments each, on a small machine; measured anew with `--reference`. */
const REFERENCE = 5.2;

const QUICK_CARRIER = {
  OMS_SIM_CARRIER_PICKUP: '1 ms',
  OMS_SIM_CARRIER_TRANSIT: '1 ms',
  OMS_SIM_CARRIER_LATENCY: '1 ms',
  OMS_SIM_PAYMENT_LATENCY: '1 ms',
};

/** From event to delivered: all roles, two shipments an order, carriers that take no time. */
export async function ordersToDelivered(stack: Stack, reference = REFERENCE): Promise<Row[]> {
  const world = await createWorld(stack.endpoints, QUICK_CARRIER);
  await seedStock(world);
  const roles = {
    ingest: await world.startRole('ingest'),
    worker: await world.startRole('worker'),
    publisher: await world.startRole('publisher'),
  };
  await produceOrders(world, ['warm-up']);
  await allClosed(world, 1);
  const pids = {
    ...processIds(stack),
    ...Object.fromEntries(Object.entries(roles).map(([name, role]) => [name, role.pid])),
  };
  const before = usage(pids);
  await produceOrders(
    world,
    Array.from({ length: ORDERS }, (_, i) => `order-${i}`),
  );
  await allClosed(world, ORDERS + 1);
  const rows = [
    ...(await rates(world, reference)),
    ...perOrder(before, usage(pids)),
    await historyLength(world),
    ...memory(roles),
    ...(await outboxDelay(world)),
  ];
  for (const role of Object.values(roles)) await role.stop();
  await world.close();
  return rows;
}

async function allClosed(world: World, count: number): Promise<void> {
  await until(`${count} orders to be delivered`, async () => {
    const { rows } = await world.sql.query<{ n: number }>(
      `select count(*)::int as n from orders where status = 'completed'`,
    );
    return rows[0]?.n === count;
  });
}

/** The pids of the stack's parts, from its own record. */
function processIds(stack: Stack): Record<string, number> {
  const record = JSON.parse(readFileSync(`${stack.stateDir}/stack.json`, 'utf8')) as {
    components: Record<string, { pid: number }>;
  };
  return Object.fromEntries(Object.entries(record.components).map(([name, { pid }]) => [name, pid]));
}

const usage = (pids: Record<string, number>): Record<string, number> =>
  Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, cpuSeconds(pid)]));

const perOrder = (before: Record<string, number>, after: Record<string, number>): Row[] =>
  Object.entries(after).map(([name, seconds]) => ({
    what: `CPU of an order, ${name}`,
    measured: ((seconds - (before[name] ?? 0)) * 1_000) / ORDERS,
    unit: 'ms',
  }));

const memory = (roles: Record<string, Role>): Row[] =>
  Object.entries(roles).map(([name, role]) => ({
    what: `peak memory, ${name}`,
    measured: peakMemoryMb(role.pid),
    unit: 'MB',
  }));

async function rates(world: World, reference: number): Promise<Row[]> {
  const { rows } = await world.sql.query<{ rate: number }>(
    `select count(*) / extract(epoch from max(o.closed_at) - min(l.claimed_at))::float8 as rate
     from orders o join ledger l using (order_id) where order_id <> 'warm-up'`,
  );
  const what = `3 x the Go reference, 3 x ${reference.toFixed(1)} =`;
  const against = { what, value: 3 * reference, better: 'higher' as const };
  return [
    {
      what: 'orders from event to delivered, two shipments each',
      measured: rows[0]?.rate ?? 0,
      unit: 'orders/s',
      against,
    },
  ];
}

async function historyLength(world: World): Promise<Row> {
  const connection = await Connection.connect({ address: world.environment.TEMPORAL_ADDRESS ?? '' });
  const { historyLength: events } = await new Client({ connection }).workflow
    .getHandle(orderWorkflowId('order-0'))
    .describe();
  await connection.close();
  const against = { what: 'target', value: HISTORY_EVENTS, better: 'lower' as const };
  return { what: 'history events of such an order (one execution)', measured: events, unit: 'events', against };
}

async function outboxDelay(world: World): Promise<Row[]> {
  const { rows } = await world.sql.query<{ median: number; p99: number; events: number }>(
    `select percentile_cont(0.5) within group (order by delay)::float8 as median,
            percentile_cont(0.99) within group (order by delay)::float8 as p99, count(*)::float8 / ${ORDERS + 1} as events
     from (select extract(epoch from sent_at - created_at) * 1000 as delay from outbox where sent_at is not null) as sent`,
  );
  return [
    { what: 'outgoing events of an order', measured: rows[0]?.events ?? 0, unit: 'events' },
    { what: 'outbox to topic, median delay under this load', measured: rows[0]?.median ?? 0, unit: 'ms' },
    { what: 'outbox to topic, 99th percentile', measured: rows[0]?.p99 ?? 0, unit: 'ms' },
  ];
}
