import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Admin } from 'kafkajs';
import { createKafka } from '../../kafka/client/client.ts';
import { createPublisher } from '../../kafka/producer/publisher.ts';
import { ROLES, createDeployment } from '../helpers/deployment.ts';
import type { Deployment } from '../helpers/deployment.ts';
import { workflowIds } from '../helpers/end-state.ts';
import { consumeAll, javaConsumer, pythonConsumer, typescriptConsumer } from '../helpers/example-consumers.ts';
import type { ConsumerCommand } from '../helpers/example-consumers.ts';
import { silent } from '../helpers/order-world.ts';
import { waitFor } from '../helpers/wait.ts';

const PRODUCERS = path.join(import.meta.dirname, '..', '..', 'examples', 'producers');
const MINUTES = 60_000;
const run = promisify(execFile);

const folder = mkdtempSync(path.join(tmpdir(), 'oms-interop-'));
const python = preparePython();
const itWithPython = 'interpreter' in python ? it : it.skip;

/** A Python with the packages of requirements.txt, or why there is none. */
function preparePython(): { interpreter: string } | { reason: string } {
  const venv = path.join(folder, 'venv');
  const interpreter = path.join(venv, 'bin', 'python');
  const requirements = path.join(PRODUCERS, 'python', 'requirements.txt');
  const steps: [string, string[]][] = [
    ['python3', ['-m', 'venv', venv]],
    [interpreter, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements]],
  ];
  for (const [file, words] of steps) {
    const { status, error, stderr } = spawnSync(file, words, { encoding: 'utf8', timeout: 5 * MINUTES });
    if (status !== 0) return { reason: `${file} ${words.join(' ')}: ${error?.message ?? stderr.trim()}` };
  }
  return { interpreter };
}

let deployment: Deployment;
beforeAll(async () => {
  if ('reason' in python)
    console.warn(`The Python tests are skipped, since there is no Python to use: ${python.reason}`);
  deployment = await createDeployment({
    OMS_SIM_CARRIER_PICKUP: '200 ms',
    OMS_SIM_CARRIER_TRANSIT: '200 ms',
    OMS_SWEEP_INTERVAL: '500 ms',
  });
  for (const sku of ['85123A', '71053']) {
    expect(await deployment.oms(['stock', 'set', sku, 'east', '100', '--price', '3.39'])).toMatchObject({ code: 0 });
  }
  await Promise.all(ROLES.map((role) => deployment.start(role)));
}, 5 * MINUTES);
afterAll(async () => {
  await deployment?.drop();
  rmSync(folder, { recursive: true });
});

/** A line an example prints: where an event went, or an event. */
type Printed = { topic?: string; type?: string } & Record<string, unknown>;

/** Runs an example as a user would, and reads the JSON lines it prints. */
async function example(file: string, words: readonly string[]): Promise<Printed[]> {
  const interpreter = file.endsWith('.py') && 'interpreter' in python ? python.interpreter : process.execPath;
  const env = { ...process.env, ...deployment.environment };
  const { stdout } = await run(interpreter, [path.join(PRODUCERS, file), ...words], { env });
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Printed);
}

const typescript = (action: 'place' | 'cancel', id: string) => example('typescript/order.ts', [action, id]);

const statusOf = async (id: string): Promise<string | undefined> =>
  (await deployment.db.selectFrom('orders').select('status').where('order_id', '=', id).executeTakeFirst())?.status;

const untilStatus = (id: string, status: string) =>
  waitFor(`${id} to be ${status}`, async () => (await statusOf(id)) === status);

describe('the producer in TypeScript', () => {
  it(
    'places an order that is delivered; placing it again is the same order',
    async () => {
      const [first] = await typescript('place', 'TS-1');
      const [again] = await typescript('place', 'TS-1');
      expect(again?.eventId).toBe(first?.eventId);
      expect(again?.offset).not.toBe(first?.offset);
      await untilStatus('TS-1', 'completed');
      await waitFor('both records to be read', async () => (await deployment.lag()) === 0);
      expect((await workflowIds(deployment)).filter((id) => id === 'Order:TS-1')).toHaveLength(1);
      const { amount } = await deployment.db
        .selectFrom('simulated_charges')
        .select('amount')
        .where('key', '=', 'TS-1:1')
        .executeTakeFirstOrThrow();
      expect(amount).toBe(2 * 255 + 102 + 339 + 68 + 500); // two hearts, a lantern by the price list, tax per line, shipping
    },
    2 * MINUTES,
  );

  it(
    'cancels an order before it has come',
    async () => {
      await typescript('cancel', 'TS-2');
      await waitFor('the cancel to wait for its order', async () => (await deployment.lag()) === 0);
      await typescript('place', 'TS-2');
      await untilStatus('TS-2', 'cancelled');
      expect(
        await deployment.db.selectFrom('simulated_charges').where('key', 'like', 'TS-2%').selectAll().execute(),
      ).toEqual([]);
    },
    2 * MINUTES,
  );
});

describe('the producer and the reader in Python, with another client and another partitioner', () => {
  itWithPython(
    'place an order and read every event of it until it has ended',
    async () => {
      const [placed] = await example('python/place_order.py', ['PY-1']);
      expect(placed).toMatchObject({ eventId: 'example-till/PY-1/place' });
      const events = await example('python/follow_order.py', ['PY-1', '100']);
      const types = events.flatMap(({ topic, type }) => (type ? [`${topic} ${type}`] : []));
      expect(types.sort()).toEqual([
        'deliveries Delivered',
        'invoices InvoiceIssued',
        'invoices InvoicePaid',
        'shipments ShipmentBooked',
        'shipments ShipmentDispatched',
      ]);
      expect(events.find(({ topic, status }) => topic === 'order-status' && status === 'completed')).toMatchObject({
        orderId: 'PY-1',
        source: 'example-till',
        customerId: 'customer-2',
      });
      expect(events.find(({ type }) => type === 'InvoiceIssued')).toMatchObject({
        total: 3 * 255 + 153 + 500,
        currency: 'GBP',
      });
    },
    3 * MINUTES,
  );

  itWithPython(
    'send an order again as the same event, from whichever partition',
    async () => {
      await example('python/place_order.py', ['PY-2']);
      await example('python/place_order.py', ['PY-2']);
      await untilStatus('PY-2', 'completed');
      await waitFor('both records to be read', async () => (await deployment.lag()) === 0);
      const charges = await deployment.db
        .selectFrom('simulated_charges')
        .select('key')
        .where('key', 'like', 'PY-2%')
        .execute();
      expect(charges).toEqual([{ key: 'PY-2:1' }]);
    },
    2 * MINUTES,
  );

  itWithPython(
    'have a cancel by a producer with another partitioner take effect, wherever it lies',
    async () => {
      const cancelled = ['orders', 'cancel', 'PY-3', '--source', 'example-till', '--json'];
      expect(await deployment.oms(cancelled)).toMatchObject({ code: 0 });
      await waitFor('the cancel to wait for its order', async () => (await deployment.lag()) === 0);
      await example('python/place_order.py', ['PY-3']);
      await untilStatus('PY-3', 'cancelled');
    },
    2 * MINUTES,
  );

  itWithPython(
    'find their refusal on the dead letter topic, by source, with field, value and rule',
    async () => {
      await example('python/place_order.py', ['PY-4', '0']);
      const letter = await waitFor('the dead letter', async () =>
        (await deployment.records('orders.dlq')).find(({ key }) => key?.toString() === 'PY-4'),
      );
      expect(letter.headers).toMatchObject({
        'oms-dlq-source': 'example-till',
        'oms-dlq-order-id': 'PY-4',
        'oms-dlq-error-code': 'OMS_INGEST_FIELD_INVALID',
        'oms-dlq-error-field': 'payload.items[0].quantity',
        'oms-dlq-error-value': '0',
        'oms-dlq-error-rule': expect.stringContaining('must be'),
      });
    },
    2 * MINUTES,
  );
});

describe('the consumers', () => {
  let admin: Admin;
  let told: string[];
  beforeAll(async () => {
    const connection = { brokers: deployment.config.KAFKA_BROKERS, clientId: 'test', logger: silent };
    admin = createKafka({ ...connection, retries: 5 }).admin();
    await admin.connect();
    await untilStatus('TS-1', 'completed');
    await waitFor('every event to be sent', async () => (await unsent()) === 0);
    const records = await deployment.records('shipments');
    told = records.map(({ headers }) => headers.ce_id ?? '');
    // What a crash of the publisher may do, and a replay does: the same bytes once more.
    const publisher = createPublisher({ connection });
    await publisher.publish(records.map(({ topic, key, value, headers }) => ({ topic, key, value, headers })));
    await publisher.close();
  }, MINUTES);
  afterAll(() => admin?.disconnect());

  const unsent = async (): Promise<number> =>
    (await deployment.db.selectFrom('outbox').select('id').where('sent_at', 'is', null).execute()).length;

  /** What it acts on; and again, when it is started anew and its commits were lost. */
  async function readTwice(command: ConsumerCommand): Promise<[first: string[], again: string[]]> {
    const first = await consumeAll(deployment, admin, command);
    const groupId = deployment.config.OMS_PREFIX + command.group;
    await waitFor(`${groupId} to be empty`, async () => {
      const { groups } = await admin.describeGroups([groupId]);
      return groups[0]?.members.length === 0;
    });
    await admin.resetOffsets({ groupId, topic: deployment.topics.shipments, earliest: true });
    return [first.toSorted(), await consumeAll(deployment, admin, command)];
  }

  it(
    'in TypeScript, Python and Java act once on each event of a topic that holds each twice, also after a restart',
    async () => {
      expect(told.length).toBeGreaterThanOrEqual(2);
      const java = await javaConsumer(folder, deployment.config.DATABASE_URL);
      const consumers = await Promise.all([
        readTwice(typescriptConsumer(folder)),
        'interpreter' in python ? readTwice(pythonConsumer(python.interpreter, folder)) : undefined,
        // A JVM that is told to end leaves its group without a word: starting it again would wait for the group.
        consumeAll(deployment, admin, java).then((first) => [first.toSorted(), []]),
      ]);
      for (const acted of consumers.filter((one) => one !== undefined)) expect(acted).toEqual([told.toSorted(), []]);
    },
    2 * MINUTES,
  );
});
