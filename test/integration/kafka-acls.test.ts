import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import kafkajs from 'kafkajs';
import type { AclEntry } from 'kafkajs';
import { createKafka } from '../../kafka/client/client.ts';
import type { TopicKind } from '../../kafka/topics.ts';
import { loadConfig } from '../../platform/config/load.ts';
import { checkDeployment } from '../../resources/deployment.ts';
import { aclsOf } from '../helpers/acls.ts';
import { createTestDatabase } from '../helpers/database.ts';
import type { TestDatabase } from '../helpers/database.ts';
import { ROLES, createDeployment } from '../helpers/deployment.ts';
import type { CommandResult, Deployment, RoleName, RoleProcess } from '../helpers/deployment.ts';
import { PATIENT, createFlow } from '../helpers/flow.ts';
import type { Flow } from '../helpers/flow.ts';
import { item, placed } from '../helpers/order-events.ts';
import { silent } from '../helpers/order-world.ts';
import { startSecuredBroker } from '../helpers/secured-broker.ts';
import type { SecuredBroker } from '../helpers/secured-broker.ts';
import { waitFor } from '../helpers/wait.ts';

const ALL_ROLES: RoleName[] = [...ROLES, 'api'];
/** A name that Node cannot see among the exports of a CommonJS module. */
const { READ } = kafkajs.AclOperationTypes;
const HANGS_AFTER_MS = 10 * 60_000;

/** Logins with the rights of another but some, by whose they are and what is taken from them. */
type IsLacking = (acl: AclEntry) => boolean;
const isOn = (topic: string, { resourceName }: AclEntry): boolean => resourceName.endsWith(`.${topic}`);
const LACKING = new Map<string, { of: string; isLacking: IsLacking }>([
  ['halfblind', { of: 'operator', isLacking: (acl) => isOn('shipments', acl) }],
  ...['shipments', 'orders', 'oms-deployment'].flatMap((topic): [string, { of: string; isLacking: IsLacking }][] => [
    [`blind-to-${topic}`, { of: 'worker', isLacking: (acl) => isOn(topic, acl) }],
    [`kept-from-${topic}`, { of: 'worker', isLacking: (acl) => isOn(topic, acl) && acl.operation === READ }],
  ]),
]);

let broker: SecuredBroker;
let deployment: Deployment;
let flow: Flow;
let folder: string;
const roles = new Map<RoleName, RoleProcess>();

/** The settings with which a role, or an operator, comes to the listener that asks for a login. */
const as = (who: string): Record<string, string> => ({
  KAFKA_BROKERS: broker.saslPlaintext,
  KAFKA_SASL_MECHANISM: 'plain',
  KAFKA_SASL_USERNAME: `oms-${who}`,
  KAFKA_SASL_PASSWORD: broker.user.password,
});

/** All that was set up before goes by the listener where everything is allowed. */
beforeAll(async () => {
  const principals = [...ALL_ROLES, 'operator', 'administrator', ...LACKING.keys()].map((who) => `oms-${who}`);
  broker = await startSecuredBroker({ principals });
  folder = await mkdtemp(path.join(tmpdir(), 'oms-acls-'));
  deployment = await createDeployment({
    ...PATIENT,
    KAFKA_BROKERS: broker.plaintext,
  });
  await createPrinted();
  for (const role of ALL_ROLES) roles.set(role, await deployment.start(role, as(role)));
  flow = await createFlow(deployment);
}, HANGS_AFTER_MS);
afterAll(async () => {
  await flow?.close();
  await deployment?.drop();
  await broker?.stop();
  if (folder) await rm(folder, { recursive: true });
});

/** Creates the ACLs as they are printed, those of an administrator, and those of workers that lack something. */
async function createPrinted(): Promise<void> {
  const { stdout } = await deployment.oms(['setup', '--print-acls']);
  const printed = aclsOf(stdout);
  const lacking = [...LACKING].flatMap(([who, { of, isLacking }]) =>
    printed
      .filter(({ principal }) => principal === `User:oms-${of}`)
      .filter((one) => !isLacking(one))
      .map((one) => ({ ...one, principal: `User:oms-${who}` })),
  );
  await createAcls([...printed, ...aclsOf(administratorsAcls()), ...lacking]);
}

/** All on topics and groups behind the prefix: what docs/operations.md says that `setup` and `rebuild` need. */
function administratorsAcls(): string {
  const grant =
    'kafka-acls --bootstrap-server "$KAFKA_BROKERS" --add --allow-principal User:oms-administrator --operation All';
  const { OMS_PREFIX: prefix } = deployment.config;
  return ['topic', 'group'].map((what) => `${grant} --resource-pattern-type prefixed --${what} '${prefix}'`).join('\n');
}

async function createAcls(acl: AclEntry[]): Promise<void> {
  const admin = createKafka({ brokers: [broker.plaintext], clientId: 'test', logger: silent, retries: 5 }).admin();
  await admin.connect();
  await admin.createAcls({ acl });
  await admin.disconnect();
}

async function post(route: string, body: object): Promise<boolean> {
  const headers = { 'content-type': 'application/json' };
  const url = `http://127.0.0.1:${deployment.config.OMS_API_PORT}${route}`;
  return (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).ok;
}

const untilBooked = (orderId: string): Promise<unknown> =>
  waitFor(`${orderId} to be booked`, async () => {
    const booked = deployment.db.selectFrom('shipments').where('order_id', '=', orderId).where('status', '=', 'booked');
    return booked.select('order_id').executeTakeFirst();
  });

const untilOn = (kind: TopicKind, key: string): Promise<unknown> =>
  waitFor(`a record of ${key} on ${kind}`, async () =>
    (await deployment.records(kind)).some((record) => record.key?.toString() === key),
  );

/** How many records the role says its groups have to read, by topic. */
async function lagTold(url: string): Promise<string[]> {
  const text = await (await fetch(url)).text();
  return Object.values(deployment.topics).filter((topic) => text.includes(`"${topic}"`));
}

describe('roles that may do only what `oms setup --print-acls` prints', () => {
  it('bring an order placed over HTTP to its delivery, with news posted by its courier', async () => {
    const order = { orderId: 'by-http', customerId: 'customer-1', currency: 'GBP', items: [{ ...item() }] };
    expect(await post('/v1/orders', order)).toBe(true);
    await untilBooked('by-http');
    expect(await post('/v1/shipments/by-http:1/updates', { status: 'delivered' })).toBe(true);
    for (const kind of ['orders', 'shipments', 'invoices', 'deliveries', 'order-status'] as const)
      await untilOn(kind, 'by-http');
    await untilOn('carrier-updates', 'by-http:1');
  });

  it('bring an order of an upstream producer to its delivery, with news of the carrier by topic', async () => {
    await flow.booked('by-topic');
    await flow.delivered('by-topic');
    await untilOn('deliveries', 'by-topic');
  });

  it.each(['orders', 'carrier-updates', 'stock-levels'] as const)('put poison of %s on orders.dlq', async (kind) => {
    await flow.send(kind, { key: `poison-${kind}`, value: Buffer.from('no Avro') });
    await untilOn('orders.dlq', `poison-${kind}`);
  });

  it('put a dead letter back on its topic when that is asked for over HTTP', async () => {
    const key = Buffer.from('poison-http');
    await flow.send('stock-levels', { key: 'poison-http', value: Buffer.from('no Avro') });
    const stored = deployment.db.selectFrom('dead_letters').select(['id', 'decision']).where('record_key', '=', key);
    const { id } = await waitFor('its dead letter', () => stored.executeTakeFirst());
    expect(await post(`/v1/dead-letters/${id}/retry`, { who: 'anna', why: 'test' })).toBe(true);
    expect(await stored.where('id', '=', id).executeTakeFirst()).toMatchObject({ decision: 'retried' });
  });

  it('tell lags of every group, and compare retentions at the start of ingest', async () => {
    const read = [deployment.topics.orders, deployment.topics['carrier-updates'], deployment.topics['stock-levels']];
    const ingest = `http://127.0.0.1:${deployment.config.OMS_INGEST_PORT}/metrics`;
    expect(await lagTold(ingest)).toEqual(read);
    expect(await lagTold(`http://127.0.0.1:${deployment.config.OMS_API_PORT}/v1/stats`)).toEqual(read);
    expect(roles.get('ingest')?.log()).toContain('of what is older the ledger knows every order');
  });
});

describe('an operator who may do only what is printed', () => {
  const oms = (...words: string[]): Promise<CommandResult> =>
    deployment.oms([...words, '--json'], { environment: as('operator') });
  /** What a command printed that has to do all it was asked for. */
  const done = async <T = unknown>(...words: string[]): Promise<T> => {
    const { code, stdout, stderr } = await oms(...words);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.any(String) });
    return JSON.parse(stdout) as T;
  };
  const file = async (name: string, content: string): Promise<string> => {
    const at = path.join(folder, name);
    await writeFile(at, content);
    return at;
  };

  it('produces orders, stock levels and news that the roles take in', async () => {
    await done('stock', 'produce', await file('levels.csv', 'sku,warehouse,onHand,version\nSKU-2,east,5,1\n'));
    await waitFor('the level to be taken in', () =>
      deployment.db.selectFrom('stock').select('sku').where('sku', '=', 'SKU-2').executeTakeFirst(),
    );
    await done('orders', 'produce', await file('orders.jsonl', JSON.stringify(placed('by-hand'))));
    await untilBooked('by-hand');
    await done('carrier', 'update', 'by-hand:1', 'delivered');
    await untilOn('deliveries', 'by-hand');
  });

  it('gets an answer from the doctor about everything, and finds nothing wrong', async () => {
    const { findings } = await done<{ findings: { check: string; level: string }[] }>('doctor');
    expect(findings.filter(({ level }) => level !== 'ok')).toEqual([]);
  });

  it('audits everything, and finds no difference', async () => {
    await flow.published();
    const { differences } = await done<{ differences: object[] }>('audit', '--grace', '0', '--settle', '1');
    expect(differences).toEqual([]);
  });

  it('plans and runs a replay of orders', async () => {
    const { replayId } = await done<{ replayId: string }>('replay', 'plan', '--why', 'test');
    expect(await done('replay', 'run', replayId)).toMatchObject({ state: 'finished' });
  });

  it.each([
    ['a topic of the replay', []],
    ['the live topics', ['--live']],
  ])('tells events again on %s', async (_, flags) => {
    const plan = ['replay', 'plan', '--mode', 're-emit', '--order', 'by-topic', '--why', 'test', ...flags];
    const { replayId } = await done<{ replayId: string }>(...plan);
    expect(await done('replay', 'run', replayId)).toMatchObject({ state: 'finished' });
    if (flags.length > 0) return;
    const own = `${deployment.config.OMS_PREFIX}oms-replay-${replayId}`;
    const { replayId: again } = await done<{ replayId: string }>(
      ...['replay', 'plan', '--mode', 'validate', '--from', own, '--why', 'test'],
    );
    expect(await done('replay', 'run', again)).toMatchObject({ state: 'finished' });
  });

  it('puts dead letters of every topic back on it', async () => {
    const retried = await done<{ outcome: string; topic: string }[]>('dlq', 'retry', '--since', '1h', '--why', 'test');
    const { topics } = deployment;
    expect(new Set(retried.map(({ topic }) => topic))).toEqual(
      new Set([topics.orders, topics['carrier-updates'], topics['stock-levels']]),
    );
    expect(retried.every(({ outcome }) => outcome === 'produced')).toBe(true);
  });

  it('reads every topic', async () => {
    const kinds = Object.keys(deployment.topics);
    const { code, stdout } = await oms('topics', 'tail', ...kinds, '--from-beginning', '--no-follow');
    const lines = stdout.trim().split('\n');
    const read = new Set(lines.map((line) => (JSON.parse(line) as { topic: string }).topic));
    expect({ code, read }).toEqual({ code: 0, read: new Set(Object.values(deployment.topics)) });
  });
});

describe('the authorizer', () => {
  it('lets every role start again, when there is something on the topics to compare the database with', async () => {
    await flow.published();
    for (const role of ALL_ROLES) {
      const before = roles.get(role);
      expect(await before?.stop()).toBe(0);
      expect(before?.log()).not.toMatch(/authoriz/i);
      roles.set(role, await deployment.start(role, as(role)));
    }
  });

  it('has refused nobody anything, and no role was told so', async () => {
    for (const role of roles.values()) expect(role.log()).not.toMatch(/authoriz/i);
    expect(await broker.denials()).toEqual([]);
  });

  it('lets no reading group of a role or a command stay behind', async () => {
    const { OMS_PREFIX: prefix } = deployment.config;
    const own = ['ingest', 'carrier', 'stock'].map((role) => `${prefix}oms-${role}`);
    expect((await deployment.groups()).filter((group) => group.startsWith(`${prefix}oms-`)).sort()).toEqual(own.sort());
  });

  it('is there: what a role may not do is refused, and seen in its log', async () => {
    const tail = ['topics', 'tail', 'orders', '--from-beginning', '--no-follow'];
    const { code, stdout } = await deployment.oms(tail, { environment: as('worker') });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect((await broker.denials()).join('\n')).toMatch(/User:oms-worker is Denied/);
  });
});

describe('a login that lacks a right', () => {
  it.each([...LACKING.keys()].filter((who) => who !== 'halfblind'))(
    'is told at a role’s start which one: %s',
    async (who) => {
      const topic = deployment.config.OMS_PREFIX + who.replace(/^(blind-to|kept-from)-/, '');
      await expect(checkDeployment(loadConfig({ ...deployment.environment, ...as(who) }))).rejects.toMatchObject({
        code: 'OMS_KAFKA_NOT_AUTHORIZED',
        message: expect.stringContaining(`\`--operation Read --topic '${topic}'\``),
      });
    },
  );

  it('is told so by the doctor, which misses no other topic', async () => {
    const { stdout } = await deployment.oms(['doctor', '--json'], { environment: as('halfblind') });
    const { findings } = JSON.parse(stdout) as { findings: Record<'check' | 'code' | 'about', string | null>[] };
    const about = `topic ${deployment.topics.shipments}`;
    expect(findings.filter(({ check, code }) => check === 'topics' && code !== null)).toMatchObject([
      { code: 'OMS_KAFKA_NOT_AUTHORIZED', about },
    ]);
  });

  // The worker may write nothing, ingest and the publisher something else; the first two may not see what they are to write.
  it.each([
    ['publisher', 'stock-levels', ['stock', 'produce', 'levels.csv']],
    ['worker', 'carrier-updates', ['carrier', 'update', 'by-topic:1', 'delivered']],
    ['worker', 'orders', ['orders', 'produce', 'orders.jsonl']],
    ['ingest', 'orders', ['orders', 'produce', 'orders.jsonl']],
    ['ingest', 'stock-levels', ['stock', 'produce', 'levels.csv']],
    ['ingest', 'carrier-updates', ['carrier', 'update', 'by-topic:1', 'delivered']],
  ] as const)('cannot produce: %s is told at once of %s', async (who, kind, words) => {
    const given = words.map((word) => (word.includes('.') ? path.join(folder, word) : word));
    const { code, stdout, stderr } = await deployment.oms(given, { environment: as(who) });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('OMS_KAFKA_NOT_AUTHORIZED');
    expect(stderr).toContain(`\`--operation Write --topic '${deployment.topics[kind]}'\``);
  });
});

describe('an administrator who may do all on topics and groups behind the prefix', () => {
  const others: TestDatabase[] = [];
  const onNewDatabase = async (): Promise<Record<string, string>> => {
    const database = await createTestDatabase();
    others.push(database);
    return { ...as('administrator'), DATABASE_URL: database.url };
  };
  const deniedTo = async (who: string): Promise<string[]> =>
    (await broker.denials()).filter((line) => line.includes(`User:oms-${who} `));
  afterAll(async () => {
    for (const { drop } of others) await drop();
  });

  it('sets a deployment up, and once more', async () => {
    const prefix = `${deployment.config.OMS_PREFIX}new.`;
    const own = { OMS_PREFIX: prefix, TEMPORAL_NAMESPACE: `test-${prefix.replaceAll('.', '-')}0` };
    const environment = { ...(await onNewDatabase()), ...own };
    for (const again of ['created', 'unchanged']) {
      const { code, stdout, stderr } = await deployment.oms(['setup', '--json'], { environment });
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toContain(again);
    }
  });

  it('rebuilds a database that was lost', async () => {
    for (const role of roles.values()) await role.stop();
    const words = ['rebuild', '--why', 'test', '--next-credit-note', '1', '--json'];
    const { code, stdout, stderr } = await deployment.oms(words, { environment: await onNewDatabase() });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect((JSON.parse(stdout) as { orders: number }).orders).toBeGreaterThan(2);
  });

  it('is refused nothing', async () => {
    expect(await deniedTo('administrator')).toEqual([]);
  });
});
