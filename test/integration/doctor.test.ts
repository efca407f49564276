import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import kafkajs from 'kafkajs';
import type { Admin } from 'kafkajs';
import { sql } from 'kysely';
import { createKafka } from '../../kafka/client/client.ts';
import type { Finding } from '../../operations/doctor/finding.ts';
import type { Diagnosis } from '../../operations/doctor/run-doctor.ts';
import { createRegistryAdmin } from '../../operations/setup/subjects.ts';
import { createEmptyDatabase, createTestDatabase } from '../helpers/database.ts';
import { createDeployment } from '../helpers/deployment.ts';
import type { Deployment } from '../helpers/deployment.ts';
import { silent } from '../helpers/order-world.ts';
import { createTcpSwitch } from '../helpers/tcp-switch.ts';
import { createTopic } from '../helpers/topics.ts';
import { waitFor } from '../helpers/wait.ts';

let deployment: Deployment;
let admin: Admin;
const closers: (() => Promise<unknown> | void)[] = [];
beforeAll(async () => {
  deployment = await createDeployment();
  const kafka = createKafka({ brokers: deployment.config.KAFKA_BROKERS, clientId: 'test', logger: silent, retries: 5 });
  admin = kafka.admin();
  await admin.connect();
});
afterAll(async () => {
  for (const close of closers) await close();
  await admin?.disconnect();
  await deployment?.drop();
});

/** `oms doctor --json`, with its exit code. */
async function doctor(environment: Record<string, string> = {}, words: string[] = []) {
  const { code, stdout, stderr } = await deployment.oms(['doctor', '--json', ...words], { environment });
  if (!stdout) throw new Error(stderr);
  return { code, ...(JSON.parse(stdout) as Diagnosis) };
}

/** `code about: detail` of each that is not fine; each must say what mends it. */
function troubles(findings: readonly Finding[]): string[] {
  const wrong = findings.filter(({ level }) => level === 'fault' || level === 'warning');
  expect(wrong.filter(({ fix }) => !fix)).toEqual([]);
  return wrong.map(({ code, about, detail }) => `${code} ${about ?? ''}: ${detail}`);
}

const TOPIC = kafkajs.ConfigResourceTypes.TOPIC;
const alter = (topic: string, settings: Record<string, string>) =>
  admin.alterConfigs({
    validateOnly: false,
    resources: [
      { type: TOPIC, name: topic, configEntries: Object.entries(settings).map(([name, value]) => ({ name, value })) },
    ],
  });

async function produce(topic: string, timestamp: number): Promise<void> {
  const { config } = deployment;
  const producer = createKafka({ brokers: config.KAFKA_BROKERS, clientId: 'test', logger: silent }).producer();
  await producer.connect();
  await producer.send({ topic, messages: [{ key: 'k', value: 'v', partition: 0, timestamp: String(timestamp) }] });
  await producer.disconnect();
}

async function removeTopic(topic: string): Promise<void> {
  await admin.deleteTopics({ topics: [topic] });
  await waitFor(`${topic} to be gone`, async () => !(await admin.listTopics()).includes(topic));
}

describe('oms doctor on a healthy deployment', () => {
  it('finds nothing wrong, exits with 0 and prints the port map', async () => {
    const { code, ok, findings, ports } = await doctor();
    expect({ code, ok, troubles: troubles(findings) }).toEqual({ code: 0, ok: true, troubles: [] });
    expect(findings.filter(({ level }) => level === 'skipped')).toEqual([]);
    const { KAFKA_BROKERS: brokers = '', OMS_INGEST_PORT: port } = deployment.environment;
    expect(ports).toContainEqual({ what: 'Kafka', where: brokers, setting: 'KAFKA_BROKERS', state: 'elsewhere' });
    const ingest = { what: 'health of ingest', where: `127.0.0.1:${port}`, setting: 'OMS_INGEST_PORT', state: 'free' };
    expect(ports).toContainEqual(ingest);
  });

  it('knows a role by how it answers', async () => {
    const publisher = await deployment.start('publisher');
    const { code, ports } = await doctor();
    await publisher.stop();
    expect(code).toBe(0);
    expect(ports.find(({ setting }) => setting === 'OMS_PUBLISHER_PORT')?.state).toBe('ours');
  });
});

describe('oms doctor with parts that are away', () => {
  it('names each of them in one run, also one that takes connections and never answers', async () => {
    const registry = new URL(deployment.config.SCHEMA_REGISTRY_URL);
    const silentRegistry = await createTcpSwitch(registry.host);
    closers.push(() => silentRegistry.close());
    silentRegistry.mute();
    const { code, findings } = await doctor(
      {
        KAFKA_BROKERS: '127.0.0.1:1',
        SCHEMA_REGISTRY_URL: `http://${silentRegistry.address}${registry.pathname}`,
        TEMPORAL_ADDRESS: '127.0.0.1:1',
        DATABASE_URL: 'postgres://oms:hush@127.0.0.1:1/oms',
      },
      ['--timeout', '1'],
    );
    expect(code).toBe(1);
    expect(findings.filter(({ level }) => level === 'fault').map(({ check, code }) => [check, code])).toEqual([
      ['kafka', 'OMS_KAFKA_UNAVAILABLE'],
      ['registry', 'OMS_REGISTRY_UNAVAILABLE'],
      ['temporal', 'OMS_TEMPORAL_UNAVAILABLE'],
      ['database', 'OMS_DATABASE_UNAVAILABLE'],
    ]);
    expect(JSON.stringify(findings)).not.toContain('hush');
  });
});

describe('oms doctor where Java is too old for the local stack', () => {
  it('says so, and what to install', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'oms-test-'));
    closers.push(() => rm(directory, { recursive: true }));
    const java = path.join(directory, 'java');
    await writeFile(java, `#!/bin/sh\necho 'openjdk version "11.0.2" 2019-01-15' >&2\n`);
    await chmod(java, 0o755);
    const { findings } = await doctor({ PATH: directory, SCHEMA_REGISTRY_URL: '' }, ['--timeout', '1']);
    expect(findings.find(({ check }) => check === 'java')).toMatchObject({
      ...{ level: 'fault', code: 'OMS_LOCAL_JAVA_MISSING', fix: expect.stringContaining('install Java 17') },
    });
  });
});

describe('oms doctor where nothing is set up', () => {
  it('names all that is missing, and the command it prints mends it', async () => {
    const empty = await createEmptyDatabase();
    closers.push(() => empty.drop());
    const id = randomUUID().slice(0, 8);
    const fresh = { DATABASE_URL: empty.url, OMS_PREFIX: `t${id}.`, TEMPORAL_NAMESPACE: `test-${id}` };
    closers.push(async () => {
      const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(fresh.OMS_PREFIX));
      await admin.deleteTopics({ topics });
    });
    const { findings } = await doctor(fresh);
    const wrong = findings.filter(({ level }) => level === 'fault');
    expect(new Set(wrong.map(({ code }) => code))).toEqual(
      new Set([
        ...['OMS_KAFKA_TOPIC_MISSING', 'OMS_REGISTRY_SCHEMA_MISSING', 'OMS_TEMPORAL_NAMESPACE_MISSING'],
        'OMS_DATABASE_MIGRATION_BEHIND',
      ]),
    );
    expect(new Set(wrong.map(({ fix }) => fix))).toEqual(new Set(['./oms setup']));
    const { code, stderr } = await deployment.oms(['setup'], { environment: fresh });
    expect([code, stderr]).toEqual([0, expect.stringContaining('Everything is set up')]);
    expect(troubles((await doctor(fresh)).findings)).toEqual([]);
  });
});

describe('oms doctor with a database or namespace that does not belong here', () => {
  it('names migrations that are missing, and the namespace that is', async () => {
    const behind = await createTestDatabase();
    closers.push(() => behind.drop());
    await sql`delete from kysely_migration where name = (select max(name) from kysely_migration)`.execute(behind.db);
    const { code, findings } = await doctor({ DATABASE_URL: behind.url, TEMPORAL_NAMESPACE: 'nowhere' });
    expect(code).toBe(1);
    expect(troubles(findings)).toEqual([
      expect.stringMatching(/^OMS_TEMPORAL_NAMESPACE_MISSING : .*no namespace nowhere/),
      expect.stringMatching(/^OMS_DATABASE_MIGRATION_BEHIND : database lacks 0\d{3}-/),
    ]);
  });

  it('names parts of different deployments', async () => {
    const other = await createTestDatabase();
    closers.push(() => other.drop());
    const { code, findings } = await doctor({ DATABASE_URL: other.url });
    expect(code).toBe(1);
    expect(troubles(findings)).toEqual([expect.stringMatching(/^OMS_DEPLOYMENT_MISMATCH : parts of different/)]);
  });

  it('names clocks that differ from that of this machine', async () => {
    const anHourLate = `const Real = Date, now = () => Real.now() - 3_600_000;
      Date = class extends Real { constructor(...at) { super(...(at.length > 0 ? at : [now()])); } static now = now; };`;
    const NODE_OPTIONS = `--import data:text/javascript,${encodeURIComponent(anHourLate)}`;
    const { code, findings } = await doctor({ NODE_OPTIONS });
    expect(code).toBe(1);
    const skewed = findings.filter(({ code }) => code === 'OMS_CLOCK_SKEW').map(({ about, detail }) => [about, detail]);
    const ahead = expect.stringMatching(/is 3\d{3}\.?\d* s ahead of this machine/);
    expect(skewed).toEqual([
      ['database', ahead],
      ['broker', ahead],
      ['Temporal', ahead],
    ]);
  });
});

describe('oms doctor with everything seeded wrong at once', () => {
  const taken: Server = createServer();
  let found: string[];
  let code: number | null;
  beforeAll(async () => {
    const { topics, config, db } = deployment;
    const subject = (topic: string): string => `${topic}-value`;
    const registry = createRegistryAdmin(config.SCHEMA_REGISTRY_URL);
    const remove = (name: string) => fetch(`${config.SCHEMA_REGISTRY_URL}/subjects/${name}`, { method: 'DELETE' });

    // topics
    await removeTopic(topics['order-status']);
    await removeTopic(topics.deliveries);
    const kept = { 'retention.ms': String(30 * 86_400_000), 'max.message.bytes': '2097152' };
    const configEntries = Object.entries(kept).map(([name, value]) => ({ name, value }));
    await createTopic(admin, { topic: topics.deliveries, numPartitions: 6, replicationFactor: 1, configEntries });
    await admin.createPartitions({ topicPartitions: [{ topic: topics.invoices, count: 14 }] });
    await alter(topics.shipments, { ...kept, 'retention.ms': '60000' });
    await alter(topics.orders, { ...kept, 'cleanup.policy': 'compact', 'retention.ms': '-1' });

    // subjects
    await remove(subject(topics.shipments));
    await registry.setLevel(subject(topics.invoices), 'NONE');
    await remove(subject(topics.deliveries));
    const fields = [{ name: 'weight', type: 'int' }];
    const foreign = { type: 'record', name: 'DeliveryEvent', namespace: 'oms', fields };
    await registry.register(subject(topics.deliveries), foreign);
    await registry.setLevel(subject(topics.deliveries), 'FULL_TRANSITIVE');

    // groups: the ledger knows an order of a partition without an offset; another group is beyond the end
    await db.updateTable('deployment').set({ ledger_since: new Date() }).execute();
    await produce(topics.orders, Date.now() - 30 * 86_400_000);
    await db
      .insertInto('ledger')
      .values({ order_id: 'A', state: 'started', record_topic: topics.orders, record_partition: 0, record_offset: 0 })
      .execute();
    await admin.setOffsets({
      groupId: `${config.OMS_PREFIX}oms-stock`,
      topic: topics['stock-levels'],
      partitions: [{ partition: 3, offset: '99' }],
    });
    await new Promise<void>((resolve) =>
      taken.listen(Number(deployment.environment.OMS_WORKER_PORT), '127.0.0.1', resolve),
    );
    closers.push(() => void taken.close());
    const diagnosis = await doctor();
    found = troubles(diagnosis.findings);
    code = diagnosis.code;
  });

  it('exits with 1', () => expect(code).toBe(1));

  it.each([
    ['a taken port', /^OMS_LOCAL_PORT_TAKEN health of worker: 127\.0\.0\.1:\d+ is taken/],
    ['a missing topic', /^OMS_KAFKA_TOPIC_MISSING topic \S+order-status: does not exist/],
    ['too few partitions', /^OMS_SETUP_DRIFT topic \S+deliveries: has 6 partitions instead of 12/],
    ['more partitions than meant', /^OMS_SETUP_DRIFT topic \S+invoices: has 14 partitions instead of 12/],
    ['a retention that is too short', /^OMS_SETUP_DRIFT topic \S+shipments: retention\.ms is 60000 instead of/],
    ['another clean-up policy', /^OMS_SETUP_DRIFT topic \S+orders: cleanup\.policy is compact instead of delete/],
    ['a missing subject', /^OMS_REGISTRY_SCHEMA_MISSING subject \S+shipments-value: does not exist/],
    ['a loosened level', /^OMS_SETUP_DRIFT subject \S+invoices-value: its compatibility is NONE instead of/],
    ['an incompatible schema', /^OMS_REGISTRY_SCHEMA_INCOMPATIBLE subject \S+deliveries-value: this version's schema/],
    ['offsets that have expired', /^OMS_KAFKA_OFFSETS_LOST group \S+oms-ingest: its offsets have expired/],
    ['a topic that was made anew', /^OMS_KAFKA_OFFSETS_LOST group \S+oms-stock: it is further than \S+ 3/],
    ['a topic that loses events to compaction', /^OMS_RETENTION_RISK topic \S+orders: is compacted/],
    ['events older than what is remembered', /^OMS_RETENTION_RISK topic \S+orders: .*; 1 unread records are older/],
    ['dead letters older than that', /^OMS_RETENTION_RISK topic \S+orders\.dlq: .*refused as stale/],
  ])('names %s', (_, line) => {
    expect(found).toContainEqual(expect.stringMatching(line));
  });

  it('names nothing else', () => expect(found).toHaveLength(14));
});

describe('oms doctor for people', () => {
  it('prints a line a thing, what mends it below, and the port map', async () => {
    const { code, stdout } = await deployment.oms(['doctor']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^! fault +topics +topic \S+order-status: does not exist .*\n +fix: \.\/oms setup$/m);
    expect(stdout).toMatch(/^health of worker +127\.0\.0\.1:\d+ +OMS_WORKER_PORT +taken$/m);
    expect(stdout).toMatch(/\d+ faults, 4 warnings, 0 not looked at\./);
  });
});

describe('what oms doctor prints as the fix', () => {
  const key = ({ about, detail }: Finding): string => `${about ?? ''}: ${detail}`;

  it('mends what it stands below, when it is typed', async () => {
    const before = (await doctor()).findings.filter(({ fix }) => fix?.startsWith('./oms setup'));
    // More than one kind of thing: topics, partitions, settings, subjects, levels.
    expect(new Set(before.map(({ check, code: kind }) => `${check} ${kind}`)).size).toBeGreaterThanOrEqual(4);
    for (const command of new Set(before.map(({ fix }) => /^\.\/oms ([a-z -]+[a-z])/.exec(fix ?? '')?.[1] ?? '')))
      await deployment.oms(command.split(' '));
    const after = new Set((await doctor()).findings.map(key));
    expect(before.map(key).filter((one) => after.has(one))).toEqual([]);
  });
});
