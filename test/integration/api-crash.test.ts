import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import pLimit from 'p-limit';
import { createKafka } from '../../kafka/client/client.ts';
import { readTopics } from '../../operations/topics/tail.ts';
import type { TopicRecord } from '../../operations/topics/tail.ts';
import { loadConfig } from '../../platform/config/load.ts';
import { spawnApi } from '../helpers/apis.ts';
import type { ApiProcess } from '../helpers/apis.ts';
import { createIngestWorld } from '../helpers/ingest-world.ts';
import type { IngestWorld } from '../helpers/ingest-world.ts';
import { spawnIngest } from '../helpers/ingests.ts';
import { silent } from '../helpers/order-world.ts';
import { spawnPublisher } from '../helpers/publishers.ts';
import { waitFor } from '../helpers/wait.ts';

/** The statements of an order placed under an Idempotency-Key, in their order; the last reads what is answered. */
const STATEMENTS = [
  'select * from "http_requests"',
  'begin',
  'select given.order_id',
  'insert into ledger',
  'insert into outbox',
  'insert into http_requests',
  'commit',
  'select o.order_id as',
];
const WHEN = process.env.OMS_TEST_LONG ? ['before', 'after'] : ['after'];
const KILLS = STATEMENTS.flatMap((statement) => WHEN.map((when) => `${when} ${statement}`));
const COMMITTED = new Set(['after commit', 'before select o.order_id as', 'after select o.order_id as']);

/** Nobody is there: orders are taken in all the same. */
const AWAY = { KAFKA_BROKERS: '127.0.0.1:1', TEMPORAL_ADDRESS: '127.0.0.1:1' };
/** Processes that start and die at the same time. */
const SIDE_BY_SIDE = 3;
const HANGS_AFTER_MS = 600_000;

let world: IngestWorld;
let living: ApiProcess;
beforeAll(async () => {
  world = await createIngestWorld();
  living = await spawnApi({ ...world.environment, ...AWAY });
});
afterAll(async () => {
  await living.end('SIGKILL');
  await world.drop();
});

/** Places an order, its id being its key; undefined without an answer. */
async function place(url: string, orderId: string): Promise<{ status: number; replayed: boolean } | undefined> {
  const order = {
    orderId,
    customerId: 'customer-1',
    currency: 'GBP',
    items: [{ sku: 'e', quantity: 1, unitPrice: 1_000 }],
  };
  const headers = { 'content-type': 'application/json', 'idempotency-key': orderId };
  const request = { method: 'POST', headers, body: JSON.stringify(order) };
  const answer = await fetch(`${url}/v1/orders`, request).catch(() => undefined);
  if (!answer) return undefined;
  expect(await answer.json()).toMatchObject({ orderId, status: 'pending' });
  return { status: answer.status, replayed: answer.headers.get('idempotent-replayed') === 'true' };
}

async function rowsOf(orderId: string): Promise<Record<string, number>> {
  const { rows } = await sql<Record<string, number>>`
    select (select count(*) from ledger where order_id = ${orderId}) as ledger,
      (select count(*) from outbox where order_id = ${orderId}) as outbox,
      (select count(*) from http_requests where key = ${`POST /v1/orders ${orderId}`}) as answers
  `.execute(world.db);
  return rows[0] ?? {};
}

const ONCE = { ledger: 1, outbox: 1, answers: 1 };
const NOTHING = { ledger: 0, outbox: 0, answers: 0 };

/** One order with an api that dies at a statement, and the same request once more with one that lives. */
async function survive(killAt: string, orderId: string): Promise<void> {
  const dying = await spawnApi({ ...world.environment, ...AWAY }, killAt);
  try {
    expect(await place(dying.url, orderId)).toBeUndefined();
    expect(await dying.gone).toBe('SIGKILL');
    // The server carries out what it was sent, also for one that is gone by now.
    await waitFor('the dead one to be forgotten', async () => (await openTransactions()) === 0);
    const isCommitted = COMMITTED.has(killAt);
    expect(await rowsOf(orderId)).toEqual(isCommitted ? ONCE : NOTHING);
    expect(await place(living.url, orderId)).toEqual({ status: 201, replayed: isCommitted });
    expect(await rowsOf(orderId)).toEqual(ONCE);
  } finally {
    await dying.end('SIGKILL');
  }
}

async function openTransactions(): Promise<number> {
  const { rows } = await sql<{ open: number }>`
    select count(*) as open from pg_stat_activity where datname = current_database() and application_name = 'oms-api'
      and state like 'idle in transaction%'`.execute(world.db);
  return rows[0]?.open ?? 0;
}

async function onTopic(): Promise<TopicRecord[]> {
  const { KAFKA_BROKERS: brokers } = loadConfig(world.environment);
  const kafka = createKafka({ brokers, clientId: 'test', logger: silent, retries: 5 });
  const all: TopicRecord[] = [];
  const onRecords = (records: readonly TopicRecord[]) => Promise.resolve(all.push(...records) > 0);
  const reading = { topics: [world.topics.orders], groupId: world.id('reader') };
  await readTopics({ kafka, admin: world.admin, ...reading, fromBeginning: true, follow: false, onRecords });
  return all;
}

async function unsent(): Promise<number> {
  const { rows } = await sql<{ n: number }>`select count(*) as n from outbox where sent_at is null`.execute(world.db);
  return rows[0]?.n ?? 0;
}

describe('An order placed over HTTP', () => {
  const outcomes = new Map<string, Promise<unknown>>();
  const idOf = (killAt: string): string => world.id(killAt.replaceAll(/[^a-z]+/g, '-'));
  beforeAll(() => {
    const limiter = pLimit(SIDE_BY_SIDE);
    for (const killAt of KILLS) {
      outcomes.set(
        killAt,
        limiter(() => survive(killAt, idOf(killAt))).catch((error: unknown) => error),
      );
    }
  });
  afterAll(() => Promise.all(outcomes.values()));

  it.each(KILLS)(
    'is there wholly or not at all when the api is killed %s, and once when it is asked for again',
    async (killAt) => {
      expect(await outcomes.get(killAt)).toBeUndefined();
    },
    HANGS_AFTER_MS,
  );

  it(
    'while Kafka and Temporal are away becomes one record and one workflow in the end, though publisher and ingest are killed on the way',
    async () => {
      await Promise.all(outcomes.values());
      const more = ['more-1', 'more-2'].map((name) => world.id(name));
      for (const id of more) expect(await place(living.url, id)).toEqual({ status: 201, replayed: false });
      const ids = [...KILLS.map(idOf), ...more];

      const publishers = ['before update outbox set sent_at', 'after update outbox set sent_at'].map((killAt) => ({
        OMS_TEST_KILL_AT: killAt,
      }));
      for (const kill of publishers) await spawnPublisher(world, kill).gone;
      const publisher = spawnPublisher(world);
      const ingests = [spawnIngest(world, { killAt: 'orderStarted', times: 3 })];
      await ingests[0]?.gone;
      ingests.push(spawnIngest(world, { killAt: 'confirmed' }));
      await ingests[1]?.gone;
      // Read once more, and not on its way: the dead one had not committed.
      const last = spawnIngest(world);
      const late = world.id('late');
      expect(await place(living.url, late)).toEqual({ status: 201, replayed: false });
      await waitFor('all to be sent', async () => (await unsent()) === 0);
      await world.untilRead();

      for (const id of [...ids, late]) {
        expect(await world.ledger(id)).toEqual({ state: 'started', source: 'http' });
        // By ingest's sweeper, where a dead one's claim was a minute old before its record was read again.
        expect(Object.values(await world.done(id))).toEqual([expect.stringMatching(/^(started|handled)$/)]);
        expect(await world.run(id)).toMatchObject({ signals: [] });
      }
      expect(await world.deadLetters()).toEqual([]);
      // A publisher killed before it noted what it had sent sends it once more: the same record, byte for byte.
      const contents = (await onTopic()).map(({ key, value }) => `${key?.toString()} ${value?.toString('hex')}`);
      const keys = [...new Set(contents)].map((content) => content.split(' ')[0]);
      expect(keys.sort()).toEqual([...ids, late].sort());
      expect(await last.stop()).toBe('0');
      await publisher.stop();
    },
    HANGS_AFTER_MS,
  );
});
