import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { readStack } from '../../local/stack.ts';
import { endpointVariables } from '../../local/types.ts';
import { produceOrders } from './orders.ts';
import type { Row } from './table.ts';
import { until } from './world.ts';
import type { Environment, World } from './world.ts';

const OMS = join(import.meta.dirname, '..', '..', 'cli', 'oms.js');

/** `oms up` on an empty directory, then again on the same: how long until an order put on the topic is delivered. */
export async function startUp(): Promise<Row[]> {
  const stateDir = await mkdtemp(join(tmpdir(), 'oms-bench-'));
  const first = await upUntilDelivered(stateDir, 'first');
  const second = await upUntilDelivered(stateDir, 'second');
  await rm(stateDir, { recursive: true, force: true });
  return [
    {
      what: 'first start to first delivered order, downloads cached',
      measured: first,
      unit: 's',
      against: { what: 'target', value: 600, better: 'lower' },
    },
    {
      what: 'warm start to first delivered order',
      measured: second,
      unit: 's',
      against: { what: 'target', value: 30, better: 'lower' },
    },
  ];
}

async function upUntilDelivered(stateDir: string, orderId: string): Promise<number> {
  const environment: Environment = {
    ...FREE_PORTS,
    OMS_STATE_DIR: stateDir,
    OMS_SIM_CARRIER_PICKUP: '100 ms',
    OMS_SIM_CARRIER_TRANSIT: '100 ms',
  };
  const began = performance.now();
  const child = spawn(process.execPath, [OMS, 'up', '--no-demo'], {
    env: { ...process.env, ...environment },
    stdio: 'ignore',
  });
  try {
    await delivered(stateDir, environment, orderId);
    return (performance.now() - began) / 1_000;
  } finally {
    child.kill('SIGTERM');
    await once(child, 'close');
  }
}

/** Ports nothing else uses: the bench runs beside a started system. */
const FREE_PORTS: Environment = {
  OMS_KAFKA_PORT: '29092',
  OMS_REGISTRY_PORT: '28081',
  OMS_TEMPORAL_PORT: '27233',
  OMS_TEMPORAL_UI_PORT: '28233',
  OMS_POSTGRES_PORT: '25433',
  OMS_INGEST_PORT: '29464',
  OMS_WORKER_PORT: '29465',
  OMS_PUBLISHER_PORT: '29466',
};

async function delivered(stateDir: string, environment: Environment, orderId: string): Promise<void> {
  const live = await until('the ingest role', async () => {
    const answer = await fetch(`http://127.0.0.1:${environment.OMS_INGEST_PORT ?? ''}/readyz`).catch(() => undefined);
    return answer?.ok && (await readStack(stateDir));
  });
  const variables = endpointVariables(live.endpoints);
  const sql = new pg.Pool({ connectionString: variables.DATABASE_URL, max: 1 });
  await sql.query(
    `insert into stock (warehouse, sku, on_hand) values ('bench-north', 'bench-north', 1000), ('bench-south', 'bench-south', 1000) on conflict do nothing`,
  );
  await produceOrders({ prefix: '', environment: { ...environment, ...variables }, sql } as World, [orderId]);
  await until('the order to be delivered', async () => {
    const { rows } = await sql.query(
      `select 1 from outbox where topic = 'deliveries' and order_id = $1 and sent_at is not null`,
      [orderId],
    );
    return rows.length > 0;
  });
  await sql.end();
}
