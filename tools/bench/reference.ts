import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Stack } from '../../local/stack.ts';
import { until } from './world.ts';

const ORDERS = 100;
const SHIPMENTS = 2;
/** Seldom enough to leave the reference the machine. */
const POLL_MS = 250;
/** The reference's own defaults. */
const ORDER_API = 'http://127.0.0.1:8082';
const SHIPMENT_API = 'http://127.0.0.1:8083';

/**
 * Orders per second the reference (temporalio/reference-app-orders-go, its `oms` built by `go build ./cmd/oms`) brings
 * to delivered on this machine: two shipments an order, carried by a driver that takes no time, on a Temporal server as
 * fresh as ours. Its APIs listen on 8081 to 8084, which have to be free.
 */
export async function referenceOrdersPerSecond(stack: Stack, binary: string): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'oms-bench-reference-'));
  const environment = { ...process.env, TEMPORAL_ADDRESS: stack.endpoints.temporalAddress };
  const begin = (role: string): ChildProcess =>
    spawn(binary, [role], { cwd: directory, env: environment, stdio: 'ignore' });
  const processes = [begin('worker'), begin('api')];
  try {
    await until('the reference to answer', () =>
      fetch(`${ORDER_API}/orders`).then(
        (answer) => answer.ok,
        () => false,
      ),
    );
    await bringToDelivered(['warm-up']);
    const began = performance.now();
    await bringToDelivered(Array.from({ length: ORDERS }, (_, i) => `order-${i}`));
    return ORDERS / ((performance.now() - began) / 1_000);
  } finally {
    for (const child of processes) {
      child.kill('SIGINT');
      await once(child, 'close');
    }
    await rm(directory, { recursive: true, force: true });
  }
}

async function bringToDelivered(ids: readonly string[]): Promise<void> {
  await Promise.all(ids.map((id) => post(`${ORDER_API}/orders`, twoShipmentOrder(id))));
  const told = new Set<string>();
  const allDelivered = async (): Promise<boolean> => {
    if (told.size < 2 * SHIPMENTS * ids.length) await carryPending(told);
    const orders = await list(`${ORDER_API}/orders`);
    return ids.every((id) => orders.some((order) => order.id === id && order.status === 'completed'));
  };
  await until('the reference to deliver', allDelivered, POLL_MS);
}

/** The first item ships from one warehouse, the second from another. */
const twoShipmentOrder = (id: string) => ({
  id,
  customerId: 'bench-customer',
  items: [
    { sku: 'bench-north', quantity: 1 },
    { sku: 'bench-south', quantity: 1 },
  ],
});

/** What is booked is picked up, and what is picked up is delivered, as soon as it is seen; each told once. */
async function carryPending(told: Set<string>): Promise<void> {
  const next: Record<string, string> = { booked: 'dispatched', dispatched: 'delivered' };
  const shipments = await list(`${SHIPMENT_API}/shipments/pending`);
  await Promise.all(
    shipments.flatMap(({ id, status }) => {
      const to = next[status];
      if (!to || told.has(`${id} ${to}`)) return [];
      told.add(`${id} ${to}`);
      return [post(`${SHIPMENT_API}/shipments/${id}/status`, { status: to })];
    }),
  );
}

async function list(url: string): Promise<{ id: string; status: string }[]> {
  return (await (await fetch(url)).json()) as { id: string; status: string }[];
}

async function post(url: string, body: unknown): Promise<void> {
  await fetch(url, { method: 'POST', body: JSON.stringify(body) }).then((answer) => answer.arrayBuffer());
}
