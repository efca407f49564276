import { describe, it, expect, beforeAll, afterAll } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { Kafka, logLevel } from 'kafkajs';
import pg from 'pg';
import { freePorts } from '../../../local/ports.ts';
import { isRunning, waitForEnd } from '../../../local/processes.ts';
import { readStack, startStack, stopStack } from '../../../local/stack.ts';
import type { Endpoints, Ports, Stack } from '../../../local/stack.ts';
import { loadConfig } from '../../../platform/config/load.ts';
import { createTopic as createKafkaTopic } from '../../helpers/topics.ts';

let stateDir: string;
let ports: Ports;
let stack: Stack;

const start = (): Promise<Stack> => startStack({ stateDir, ports, temporalBinary: loadConfig().OMS_TEMPORAL_BIN });

beforeAll(async () => {
  stateDir = await mkdtemp(path.join(tmpdir(), 'oms-test-'));
  await chmod(stateDir, 0o711);
  const [kafka = 0, registry = 0, temporal = 0, temporalUi = 0, postgres = 0] = await freePorts(5);
  ports = { kafka, registry, temporal, temporalUi, postgres };
  stack = await start();
});

afterAll(async () => {
  await stopStack(stateDir);
  await rm(stateDir, { recursive: true, force: true });
});

/** What is written to each part, to be found again. */
const id = randomUUID();
const TOPIC = `stack-${id}`;
const WORKFLOW = `stack-${id}`;

const kafka = ({ kafkaBrokers }: Endpoints): Kafka =>
  new Kafka({ brokers: [kafkaBrokers], logLevel: logLevel.NOTHING });

async function produce(endpoints: Endpoints, value: string): Promise<void> {
  const producer = kafka(endpoints).producer({ allowAutoTopicCreation: false });
  await producer.connect();
  await producer.send({ topic: TOPIC, acks: -1, messages: [{ key: 'k', value }] });
  await producer.disconnect();
}

async function createTopic(endpoints: Endpoints): Promise<void> {
  const admin = kafka(endpoints).admin();
  await admin.connect();
  await createKafkaTopic(admin, { topic: TOPIC, numPartitions: 1 });
  await admin.disconnect();
}

async function firstValue(endpoints: Endpoints): Promise<string | undefined> {
  const consumer = kafka(endpoints).consumer({ groupId: `stack-${randomUUID()}` });
  await consumer.connect();
  await consumer.subscribe({ topic: TOPIC, fromBeginning: true });
  const value = await new Promise<string | undefined>((resolve, reject) => {
    const eachMessage = async ({ message }: { message: { value: Buffer | null } }): Promise<void> =>
      resolve(message.value?.toString());
    consumer.run({ eachMessage }).catch(reject);
  });
  await consumer.disconnect();
  return value;
}

async function registerSchema({ schemaRegistryUrl }: Endpoints, name: string): Promise<number> {
  const schema = JSON.stringify({ type: 'record', name, fields: [{ name: 'id', type: 'string' }] });
  const response = await fetch(`${schemaRegistryUrl}/subjects/${name}-value/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema }),
  });
  return ((await response.json()) as { id: number }).id;
}

async function withTemporal<T>(endpoints: Endpoints, use: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address: endpoints.temporalAddress });
  try {
    return await use(new Client({ connection }));
  } finally {
    await connection.close();
  }
}

async function query<T extends pg.QueryResultRow>(endpoints: Endpoints, sql: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: endpoints.databaseUrl });
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function killAll({ recorder }: Stack): Promise<void> {
  const processes = Object.values(recorder.record.components);
  for (const { pid } of processes) process.kill(pid, 'SIGKILL');
  await Promise.all(processes.map((component) => waitForEnd(component, 20_000)));
}

describe('the local stack', () => {
  it('keeps everything that was acknowledged when all of it is killed a moment later', async () => {
    const { endpoints } = stack;
    await createTopic(endpoints);
    await withTemporal(endpoints, ({ workflow }) =>
      workflow.start('nobody-runs-this', { workflowId: WORKFLOW, taskQueue: 'nobody', args: [] }),
    );
    await query(endpoints, `CREATE TABLE kept AS SELECT '${id}' AS id`);
    await produce(endpoints, id);
    const schemaId = await registerSchema(endpoints, 'Kept');
    await killAll(stack);

    stack = await start();

    expect(await registerSchema(stack.endpoints, 'Kept')).toBe(schemaId);
    expect(await registerSchema(stack.endpoints, 'Other')).toBeGreaterThan(schemaId);
    expect(await query(stack.endpoints, 'SELECT id FROM kept')).toEqual([{ id }]);
    const described = await withTemporal(stack.endpoints, ({ workflow }) => workflow.getHandle(WORKFLOW).describe());
    expect(described.status.name).toBe('RUNNING');
    expect(await firstValue(stack.endpoints)).toBe(id);
  });

  it('is used on by the next start while it still runs', async () => {
    const before = structuredClone(stack.recorder.record.components);
    const next = await start();
    expect(next.recorder.record.components).toEqual(before);
    expect((await readStack(stateDir))?.components).toEqual(before);
  });

  it('replaces one part that has ended, and leaves the others alone', async () => {
    const before = structuredClone(stack.recorder.record.components);
    const { temporal } = before;
    if (!temporal) throw new Error('temporal is not recorded');
    process.kill(temporal.pid, 'SIGKILL');
    await waitForEnd(temporal, 20_000);
    expect(await stack.ended()).toEqual(['temporal']);
    await stack.revive('temporal');
    expect(stack.recorder.record.components).toEqual({
      ...before,
      // The same data: the same id.
      temporal: { pid: expect.any(Number), started: expect.any(String), port: ports.temporal, id: temporal.id },
    });
  });

  it('does not take over a stranger on one of its ports', async () => {
    const elsewhere = await mkdtemp(path.join(tmpdir(), 'oms-test-'));
    const others = {
      registry: 'http://127.0.0.1:1',
      temporal: '127.0.0.1:1',
      postgres: 'postgres://a:b@127.0.0.1:1/c',
    };
    try {
      await expect(startStack({ stateDir: elsewhere, ports, external: others })).rejects.toMatchObject({
        code: 'OMS_LOCAL_PORT_TAKEN',
        message: expect.stringContaining('OMS_KAFKA_PORT') as unknown,
      });
    } finally {
      await rm(elsewhere, { recursive: true });
    }
  });

  it('is ended by its record alone, as `oms down` does it', async () => {
    const components = Object.values(stack.recorder.record.components);
    expect((await stopStack(stateDir)).sort()).toEqual(['kafka', 'postgres', 'registry', 'temporal']);
    expect(await Promise.all(components.map(isRunning))).toEqual([false, false, false, false]);
    expect(await stopStack(stateDir)).toEqual([]);
  });
});
