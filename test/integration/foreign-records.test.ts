import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { readDeploymentId } from '../../database/deployment/deployment.ts';
import { readTopicMark } from '../../kafka/admin/deployment-mark.ts';
import { createKafka } from '../../kafka/client/client.ts';
import { DEPLOYMENT_HEADER, DLQ_HEADERS, EVENT_ID_HEADER } from '../../kafka/headers.ts';
import { OUTGOING_TOPICS, deploymentTopic } from '../../kafka/topics.ts';
import type { TopicKind } from '../../kafka/topics.ts';
import type { AuditReport } from '../../operations/audit/audit.ts';
import type { TopicRecord } from '../../operations/topics/tail.ts';
import type { Config } from '../../platform/config/settings.ts';
import { checkDeployment } from '../../resources/deployment.ts';
import { copyDatabase, createTestDatabase } from '../helpers/database.ts';
import type { TestDatabase } from '../helpers/database.ts';
import { ROLES, createDeployment, runCommand } from '../helpers/deployment.ts';
import type { Deployment, RoleName } from '../helpers/deployment.ts';
import { PATIENT, createFlow } from '../helpers/flow.ts';
import type { Flow } from '../helpers/flow.ts';
import { runRebuild, runSetup } from '../helpers/operations.ts';
import { silent } from '../helpers/order-world.ts';
import { plan, run } from '../helpers/replays.ts';
import { giveProvidersTheirMemory, stateOf } from '../helpers/told-state.ts';
import { waitFor } from '../helpers/wait.ts';

/** A deployment on whose topics another one's records stand, too, and the databases that come into the place of its own. */
let deployment: Deployment;
let flow: Flow;
let id: string;
let mirrored: Record<'events' | 'letters', number>;
const databases: TestDatabase[] = [];

const OTHER = randomUUID();
const ORDERS = ['done', 'open', 'told-late'];
const KINDS: readonly TopicKind[] = [...OUTGOING_TOPICS, 'orders.dlq'];
const headerOf = (kind: TopicKind): string => (kind === 'orders.dlq' ? DLQ_HEADERS.deployment : DEPLOYMENT_HEADER);

async function withRoles(names: readonly RoleName[], work: () => Promise<void>): Promise<void> {
  const roles = await Promise.all(names.map((role) => deployment.start(role)));
  await work();
  await Promise.all(roles.map((role) => role.stop()));
}

/** As an earlier version wrote it, which was stopped before it was sent. */
async function leaveUnsentWithoutId(): Promise<void> {
  await withRoles(['ingest', 'worker'], () => flow.booked('told-late'));
  await sql`update outbox set headers = headers - ${DEPLOYMENT_HEADER}::text where sent_at is null`.execute(
    deployment.db,
  );
}

/** What a mirror does: records of another deployment, with its id; of its orders some have ids that ours have, too. */
async function mirror(): Promise<typeof mirrored> {
  const counts = { events: 0, letters: 0 };
  for (const kind of KINDS) {
    const ours: TopicRecord[] = await deployment.records(kind);
    for (const [i, { key, value, headers }] of ours.entries()) {
      const theirs = {
        ...headers,
        ...(i % 2 ? {} : { [EVENT_ID_HEADER]: `theirs/${i}`, [DLQ_HEADERS.id]: `theirs-${i}` }),
      };
      await flow.send(kind, { key, value, headers: { ...theirs, [headerOf(kind)]: OTHER } });
      counts[kind === 'orders.dlq' ? 'letters' : 'events']++;
    }
  }
  return counts;
}

async function audit(url = deployment.environment['DATABASE_URL'] ?? ''): Promise<AuditReport> {
  const words = ['audit', '--only', 'outbox,topics,letters', '--json', '--grace', '0', '--settle', '0'];
  const { stdout } = await runCommand(words, { ...deployment.environment, DATABASE_URL: url });
  return JSON.parse(stdout) as AuditReport;
}

async function loseMark(): Promise<void> {
  const { KAFKA_BROKERS: brokers, OMS_PREFIX: prefix } = deployment.config;
  const kafka = createKafka({ brokers, clientId: 'test', logger: silent, retries: 5 });
  const admin = kafka.admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [deploymentTopic(prefix)] });
  await waitFor('the mark to be gone', async () => (await readTopicMark(kafka, admin, prefix)) === undefined);
  await admin.disconnect();
}

async function newDatabase(): Promise<{ database: TestDatabase; config: Config }> {
  const database = await createTestDatabase();
  databases.push(database);
  return { database, config: { ...deployment.config, DATABASE_URL: database.url } };
}

const rebuild = (config: Config) => runRebuild(config, { who: 'tester', why: 'test', next: { creditNote: 1 } });

const HANGS_AFTER_MS = 8 * 60_000;

beforeAll(async () => {
  deployment = await createDeployment(PATIENT);
  flow = await createFlow(deployment);
  id = (await readDeploymentId(deployment.db)) ?? '';
  await withRoles(ROLES, async () => {
    await flow.booked('done', 'open');
    await flow.delivered('done');
    await flow.send('orders', { key: 'garbage', value: Buffer.from('no Avro') });
    await waitFor('the dead letter', async () => (await deployment.records('orders.dlq')).length > 0);
    await flow.published();
  });
}, HANGS_AFTER_MS);
afterAll(async () => {
  await flow?.close();
  await deployment?.drop();
  for (const database of databases) await database.drop();
});

describe('what a deployment publishes', () => {
  it('carries its id, on every topic', async () => {
    for (const kind of KINDS) {
      const records = await deployment.records(kind);
      expect({ kind, ids: new Set(records.map(({ headers }) => headers[headerOf(kind)])) }).toEqual({
        ...{ kind, ids: new Set([id]) },
      });
    }
  });

  it('is the same in every repeat', async () => {
    const told = async () =>
      (await deployment.records('shipments'))
        .map(({ key, value, headers }) => JSON.stringify([key, value, headers]))
        .sort();
    const before = await told();
    await sql`update outbox set sent_at = null where topic = 'shipments'`.execute(deployment.db);
    await withRoles(['publisher'], () => flow.published());
    expect(await told()).toEqual([...before, ...before].sort());
  });

  it('is its own without an id, too, where an earlier version had written it', async () => {
    await leaveUnsentWithoutId();
    await withRoles(['publisher'], () => flow.published());
    const late = (await deployment.records('shipments')).filter(({ key }) => key?.toString() === 'told-late');
    expect(late.map(({ headers }) => headers[DEPLOYMENT_HEADER])).toEqual([undefined]);
    expect((await audit()).differences).toEqual([]);
  });
});

describe('what a mirror of another deployment puts on its topics', () => {
  beforeAll(async () => {
    mirrored = await mirror();
  }, 120_000);

  it('is no proof of an old backup', async () => {
    expect(mirrored.events).toBeGreaterThan(10);
    expect(mirrored.letters).toBeGreaterThan(0);
    await expect(checkDeployment(deployment.config)).resolves.toBeUndefined();
  });

  it('is listed by the audit as what it is, and nothing else is', async () => {
    const { differences, counts } = await audit();
    expect(counts).toEqual({ OMS_AUDIT_RECORD_FOREIGN: mirrored.events + mirrored.letters });
    expect(new Set(differences.map(({ detail }) => detail))).toEqual(
      new Set([`was published by deployment ${OTHER}, not by ours`]),
    );
    expect(differences.filter(({ part }) => part === 'letters')).toHaveLength(mirrored.letters);
  });

  it.each(['shipments', 'order-status', 'orders.dlq'] as const)(
    'is foreign to a replay that validates %s',
    async (kind) => {
      const all = await deployment.records(kind);
      const theirs = all.filter(({ headers }) => headers[headerOf(kind)] === OTHER).length;
      const { replayId } = await plan(deployment.environment, { mode: 'validate', options: { from: kind } });
      const { tallies } = await run(deployment.environment, replayId);
      expect(tallies).toMatchObject({ foreign: theirs, told: expect.any(Number) });
      for (const fault of ['unknown', 'differs', 'gap', 'disordered']) expect(tallies).not.toHaveProperty(fault);
    },
  );

  it('is not rebuilt into a new database of ours', async () => {
    const states = await Promise.all(ORDERS.map((order) => stateOf(deployment.db, order)));
    const { database, config } = await newDatabase();
    await giveProvidersTheirMemory(deployment.db, database.db);
    expect(await rebuild(config)).toMatchObject({
      ...{ deploymentId: id, orders: ORDERS.length, deadLetters: 1, unreadable: 0, contradicted: [] },
      foreign: mirrored.events + mirrored.letters,
    });
    expect(await Promise.all(ORDERS.map((order) => stateOf(database.db, order)))).toEqual(states);
    const { rows } = await sql`select from outbox where headers ->> ${DEPLOYMENT_HEADER}::text = ${OTHER}`.execute(
      database.db,
    );
    expect(rows).toHaveLength(0);
    await expect(checkDeployment(config)).resolves.toBeUndefined();
  });
});

describe('topics that another database has adopted', () => {
  let adopter: TestDatabase;
  let config: Config;
  let adopted: string;
  beforeAll(async () => {
    ({ database: adopter, config } = await newDatabase());
    adopted = (await runSetup(config, undefined, { adopt: true })).deploymentId;
  }, 120_000);

  it('have another id, and what was told under the one before is their own history', async () => {
    expect(adopted).not.toBe(id);
    await expect(checkDeployment(config)).resolves.toBeUndefined();
    const { counts } = await audit(adopter.url);
    expect(counts.OMS_AUDIT_RECORD_FOREIGN).toBe(mirrored.events + mirrored.letters);
    expect(counts.OMS_AUDIT_RECORD_UNKNOWN).toBeGreaterThan(10);
  });

  it('still prove that a backup from before the adoption is one', async () => {
    const backup = await copyDatabase(adopter.url);
    databases.push(backup);
    await sql`delete from settings`.execute(backup.db);
    await sql`update deployment set ledger_since = null`.execute(backup.db);
    await expect(checkDeployment({ ...config, DATABASE_URL: backup.url })).rejects.toMatchObject({
      code: 'OMS_DATABASE_BEHIND',
    });
    expect(
      await runRebuild({ ...config, DATABASE_URL: backup.url }, { who: 't', why: 't', ontoBackup: true }),
    ).toMatchObject({
      ...{ deploymentId: adopted, isBackup: true, orders: ORDERS.length, deadLetters: 1 },
    });
  });

  it('bring all of it back when the database is lost again', async () => {
    const { database, config: anew } = await newDatabase();
    expect(await rebuild(anew)).toMatchObject({
      ...{ deploymentId: adopted, orders: ORDERS.length, deadLetters: 1, untraced: { count: 0 } },
      foreign: mirrored.events + mirrored.letters,
    });
    await expect(checkDeployment(anew)).resolves.toBeUndefined();
    expect((await audit(database.url)).counts).toEqual({
      OMS_AUDIT_RECORD_FOREIGN: mirrored.events + mirrored.letters,
    });
  });

  it('are known by all their ids again when the mark on them was lost, too', async () => {
    await loseMark();
    await runSetup(config);
    expect(await rebuild((await newDatabase()).config)).toMatchObject({ orders: ORDERS.length, deadLetters: 1 });
  });
});
