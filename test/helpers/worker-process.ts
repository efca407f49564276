import { NativeConnection } from '@temporalio/worker';
import { openDatabase } from '../../database/database.ts';
import type { Tables } from '../../database/tables.ts';
import { createEventEncoder } from '../../database/outbox/outbox.ts';
import { createCodec } from '../../kafka/codec/codec.ts';
import { createRegistry } from '../../kafka/codec/registry.ts';
import { topicSchemas } from '../../kafka/topics.ts';
import { createCarrierSimulator } from '../../providers/carrier/simulator.ts';
import { createPaymentSimulator } from '../../providers/payment/simulator.ts';
import type { SimulatorTables } from '../../providers/tables.ts';
import { createActivities } from '../../workers/activities/index.ts';
import { createOrderWorker } from '../../workers/worker.ts';
import './end-with-parent.ts';
import { PRICING } from './fulfillment-world.ts';
import { silent } from './order-world.ts';
import type { WorkerProcessOptions } from './workers.ts';

/**
 * A worker as a process of its own, on a test's database. OMS_TEST_KILL_AT=`before charge` or `after charge` makes it end
 * itself with SIGKILL the first time it gets there: the boundaries are those of each activity and each provider call.
 */

const HOUR_MS = 3_600_000;
const { url, prefix, registryUrl, temporalAddress, bundlePath, killAt } = JSON.parse(
  process.env.OMS_TEST_WORKER ?? '{}',
) as WorkerProcessOptions;

type Calls = Record<string, (...args: never[]) => Promise<unknown>>;

function dying<T extends object>(calls: T): T {
  const reach = (boundary: string): void => {
    if (boundary === killAt) process.kill(process.pid, 'SIGKILL');
  };
  const entries = Object.entries(calls as Calls).map(([name, call]) => {
    const run = async (...args: never[]): Promise<unknown> => {
      reach(`before ${name}`);
      const answer = await call(...args);
      reach(`after ${name}`);
      return answer;
    };
    return [name, run];
  });
  return Object.fromEntries(entries) as T;
}

const db = openDatabase<Tables & SimulatorTables>({ url, poolSize: 8, applicationName: 'oms-test-worker' });
const codec = createCodec({ registry: createRegistry({ url: registryUrl }), schemas: topicSchemas(prefix) });
await codec.load();
const activities = createActivities({
  db,
  encoder: createEventEncoder({ codec, prefix }),
  payment: dying(createPaymentSimulator({ db, latencyMs: 1, faults: [] })),
  carrier: dying(createCarrierSimulator({ db, latencyMs: 1, pickupMs: HOUR_MS, faults: [] })),
  pricing: PRICING,
  logger: silent,
});
const connection = await NativeConnection.connect({ address: temporalAddress });
const worker = await createOrderWorker({
  connection,
  namespace: 'default',
  prefix,
  activities: dying(activities),
  slots: 20,
  poolSize: 8,
  drainMs: 1_000,
  workflowBundle: { codePath: bundlePath },
});
process.once('SIGTERM', () => worker.shutdown());
await worker.run();
await connection.close();
await db.destroy();
