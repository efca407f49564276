import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import kafkajs from 'kafkajs';
import type { Admin } from 'kafkajs';
import { readLedgerSince } from '../../database/deployment/deployment.ts';
import { createKafka } from '../../kafka/client/client.ts';
import { TOPICS } from '../../kafka/topics.ts';
import type { SetupStep } from '../../operations/setup/steps.ts';
import { createRegistryAdmin } from '../../operations/setup/subjects.ts';
import { loadConfig } from '../../platform/config/load.ts';
import { checkDeployment } from '../../resources/deployment.ts';
import { createTestDatabase } from '../helpers/database.ts';
import type { TestDatabase } from '../helpers/database.ts';
import { createDeployment } from '../helpers/deployment.ts';
import type { Deployment } from '../helpers/deployment.ts';
import { runSetup } from '../helpers/operations.ts';
import { silent } from '../helpers/order-world.ts';

const TOPIC = kafkajs.ConfigResourceTypes.TOPIC;

let deployment: Deployment;
let admin: Admin;
let others: TestDatabase[];
beforeEach(async () => {
  deployment = await createDeployment();
  admin = createKafka({
    brokers: deployment.config.KAFKA_BROKERS,
    clientId: 'test',
    logger: silent,
    retries: 5,
  }).admin();
  await admin.connect();
  others = [];
});
afterEach(async () => {
  await admin.disconnect();
  await deployment?.drop();
  for (const other of others) await other.drop();
});

const changed = (steps: readonly SetupStep[]) =>
  steps.filter(({ outcome }) => outcome !== 'unchanged' && outcome !== 'info');

async function settingOf(topic: string, name: string): Promise<string | undefined> {
  const answer = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type: TOPIC, name: topic }] });
  return answer.resources[0]?.configEntries.find(({ configName }) => configName === name)?.configValue;
}

async function alter(topic: string, settings: Record<string, string>): Promise<void> {
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
  await admin.alterConfigs({ validateOnly: false, resources: [{ type: TOPIC, name: topic, configEntries }] });
}

async function partitionsOf(topic: string): Promise<number | undefined> {
  return (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]?.partitions.length;
}

/** Set-up by the command, as JSON. */
async function setup(words: string[] = [], environment: Record<string, string> = {}) {
  const { code, stdout, stderr } = await deployment.oms(['setup', '--json', ...words], { environment });
  const { steps } = (stdout ? JSON.parse(stdout) : { steps: [] }) as { steps: SetupStep[] };
  const error = stderr ? (JSON.parse(stderr) as { error: { code: string; message: string } }).error : undefined;
  return { code, steps, error };
}

/** An order on the topic, so that it is not empty. */
async function placeOrder(): Promise<void> {
  const order = { customerId: 'c', currency: 'GBP', items: [{ sku: 'S', quantity: 1, unitPrice: 1 }] };
  const event = { eventId: 'e', orderId: 'A', occurredAt: 0, source: 's', payload: { OrderPlaced: order } };
  expect(await deployment.oms(['orders', 'produce', '-'], { input: JSON.stringify(event) })).toMatchObject({ code: 0 });
}

describe('oms setup', () => {
  it('made every topic and subject as its definition says', async () => {
    const registry = createRegistryAdmin(deployment.config.SCHEMA_REGISTRY_URL);
    for (const { kind, config, schema, compatibility } of TOPICS) {
      const topic = deployment.topics[kind];
      expect(await partitionsOf(topic)).toBe(12);
      for (const [name, value] of Object.entries(config))
        expect([name, await settingOf(topic, name)]).toEqual([name, value]);
      if (!schema) continue;
      expect(await registry.level(`${topic}-value`)).toBe(compatibility);
      expect(await registry.idOf(`${topic}-value`, schema)).toEqual(expect.any(Number));
    }
  });

  it('changes nothing the second time, nor does a second one at the same time', async () => {
    const results = await Promise.all([runSetup(deployment.config), runSetup(deployment.config)]);
    for (const { steps } of results) expect(changed(steps)).toEqual([]);
  });

  it('raises a retention that is too short and keeps the other settings of the topic', async () => {
    const topic = deployment.topics.shipments;
    await alter(topic, { 'retention.ms': '60000', 'segment.ms': '77000', 'max.message.bytes': '2097152' });
    const { code, steps } = await setup();
    expect({ code, changed: changed(steps) }).toMatchObject({
      code: 0,
      changed: [
        { part: `topic ${topic}`, outcome: 'mended', detail: expect.stringContaining('retention.ms was 60000') },
      ],
    });
    expect(await settingOf(topic, 'retention.ms')).toBe(String(30 * 86_400_000));
    expect(await settingOf(topic, 'segment.ms')).toBe('77000');
  });

  it('leaves a longer retention alone', async () => {
    const topic = deployment.topics.invoices;
    await alter(topic, { 'retention.ms': '-1', 'max.message.bytes': '2097152' });
    const { code, steps } = await setup();
    expect({ code, outcomes: changed(steps).map(({ outcome }) => outcome) }).toEqual({ code: 0, outcomes: ['kept'] });
    expect(await settingOf(topic, 'retention.ms')).toBe('-1');
  });

  it('reports another clean-up policy as drift, exits with 1, and changes it not', async () => {
    const topic = deployment.topics.orders;
    await alter(topic, { 'cleanup.policy': 'compact', 'retention.ms': '-1', 'max.message.bytes': '2097152' });
    const { code, steps, error } = await setup();
    expect({ code, error: error?.code }).toEqual({ code: 1, error: 'OMS_SETUP_DRIFT' });
    expect(changed(steps)).toMatchObject([{ part: `topic ${topic}`, outcome: 'drift' }]);
    expect(await settingOf(topic, 'cleanup.policy')).toBe('compact');
  });

  it('adds partitions to empty topics, and to a topic that holds records only when told to', async () => {
    await placeOrder();
    const more = { OMS_TOPIC_PARTITIONS: '14' };
    const refused = await setup([], more);
    expect({ code: refused.code, error: refused.error?.code }).toEqual({ code: 1, error: 'OMS_SETUP_DRIFT' });
    expect(await partitionsOf(deployment.topics.orders)).toBe(12);
    expect(await partitionsOf(deployment.topics.shipments)).toBe(14);
    expect(await setup(['--allow-repartition'], more)).toMatchObject({ code: 0 });
    expect(await partitionsOf(deployment.topics.orders)).toBe(14);
    const fewer = await setup();
    expect(fewer.code).toBe(0);
    expect(new Set(changed(fewer.steps).map(({ outcome }) => outcome))).toEqual(new Set(['kept']));
  });

  it('sets a compatibility level that was loosened', async () => {
    const subject = `${deployment.topics.orders}-value`;
    const registry = createRegistryAdmin(deployment.config.SCHEMA_REGISTRY_URL);
    await registry.setLevel(subject, 'NONE');
    const { code, steps } = await setup();
    expect({ code, changed: changed(steps) }).toMatchObject({
      code: 0,
      changed: [{ part: `subject ${subject}`, outcome: 'mended' }],
    });
    expect(await registry.level(subject)).toBe('BACKWARD_TRANSITIVE');
  });

  it('makes again what has been deleted', async () => {
    await admin.deleteTopics({ topics: [deployment.topics.deliveries] });
    const { code, steps } = await setup();
    expect({ code, changed: changed(steps) }).toMatchObject({
      code: 0,
      changed: [{ part: `topic ${deployment.topics.deliveries}`, outcome: 'created' }],
    });
  });

  it('prints for people what it did, one line a thing', async () => {
    const { code, stdout } = await deployment.oms(['setup']);
    expect(code).toBe(0);
    expect(stdout).toContain(`= unchanged topic ${deployment.topics.orders}`);
    expect(stdout).toMatch(/search attributes +none needed/);
  });
});

describe('a schema the registry holds to be incompatible', () => {
  it('is drift: set-up names the subject and the registry’s reason', async () => {
    const prefix = `t${randomUUID().slice(0, 8)}.`;
    const registry = createRegistryAdmin(deployment.config.SCHEMA_REGISTRY_URL);
    const other = {
      type: 'record',
      name: 'ShipmentEvent',
      namespace: 'oms',
      fields: [{ name: 'weight', type: 'int' }],
    };
    await registry.register(`${prefix}shipments-value`, other);
    const own = await createTestDatabase();
    others.push(own);
    const config = loadConfig({
      ...deployment.environment,
      OMS_PREFIX: prefix,
      DATABASE_URL: own.url,
      TEMPORAL_NAMESPACE: `test-${prefix.slice(0, -1)}`,
    });
    await expect(runSetup(config)).rejects.toMatchObject({
      code: 'OMS_SETUP_DRIFT',
      message: expect.stringContaining(`subject ${prefix}shipments-value`),
    });
    await admin.deleteTopics({ topics: (await admin.listTopics()).filter((topic) => topic.startsWith(prefix)) });
  });
});

describe('parts of different deployments', () => {
  /** The same topics and namespace with a new, empty database: what makes old orders look new. */
  async function withNewDatabase() {
    const other = await createTestDatabase();
    others.push(other);
    return { DATABASE_URL: other.url };
  }

  it('are refused by set-up, which touches nothing', async () => {
    const { code, error } = await setup([], await withNewDatabase());
    expect({ code, error: error?.code }).toEqual({ code: 1, error: 'OMS_DEPLOYMENT_MISMATCH' });
    expect(error?.message).toMatch(/database: none, Temporal namespace: \S{36}, Kafka topic: \S{36}/);
    expect(await setup()).toMatchObject({ code: 0 });
  });

  it.each(['ingest', 'worker', 'publisher'])('are refused by the role %s before it does anything', async (role) => {
    const environment = await withNewDatabase();
    const { code, stderr } = await deployment.oms([role, '--json'], { environment });
    expect(code).toBe(1);
    expect(stderr).toContain('OMS_DEPLOYMENT_MISMATCH');
  });

  it('become one with --adopt, which the old database then is no part of', async () => {
    const environment = await withNewDatabase();
    expect(await setup(['--adopt'], environment)).toMatchObject({ code: 0 });
    await checkDeployment(loadConfig({ ...deployment.environment, ...environment }));
    // It never knew the orders these topics hold.
    expect(await readLedgerSince(deployment.db)).toBeUndefined();
    expect(await readLedgerSince(others[0]?.db ?? deployment.db)).toBeInstanceOf(Date);
    await expect(checkDeployment(deployment.config)).rejects.toMatchObject({ code: 'OMS_DEPLOYMENT_MISMATCH' });
  });

  it('include a state directory that belongs to another one', async () => {
    const stateDir = await mkdtemp(path.join(tmpdir(), 'oms-state-'));
    await runSetup(deployment.config, undefined, { stateDir });
    const second = await createDeployment();
    try {
      await expect(runSetup(second.config, undefined, { stateDir })).rejects.toMatchObject({
        code: 'OMS_DEPLOYMENT_MISMATCH',
        message: expect.stringContaining('state directory'),
      });
    } finally {
      await second.drop();
      await rm(stateDir, { recursive: true });
    }
  });
});
