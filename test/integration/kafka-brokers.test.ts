import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import kafkajs from 'kafkajs';
import type { Admin } from 'kafkajs';
import { sql } from 'kysely';
import { logEnds } from '../../kafka/admin/log-ends.ts';
import { createKafka } from '../../kafka/client/client.ts';
import type { KafkaConnection } from '../../kafka/client/client.ts';
import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';
import { createPublisher } from '../../kafka/producer/publisher.ts';
import { readRanges } from '../../kafka/reader/range-reader.ts';
import { readTopics } from '../../kafka/reader/read-topics.ts';
import { groupName } from '../../kafka/topics.ts';
import { topicConfig } from '../../operations/setup/topics.ts';
import { NODES, startBrokerCluster } from '../helpers/broker-cluster.ts';
import type { BrokerCluster, NodeId } from '../helpers/broker-cluster.ts';
import { ROLES, createDeployment } from '../helpers/deployment.ts';
import type { Deployment } from '../helpers/deployment.ts';
import { OUTGOING, eventsOf, numberingFaults, versionGaps, withoutRepeats } from '../helpers/end-state.ts';
import type { ReadEvent } from '../helpers/end-state.ts';
import { moneyFaults } from '../helpers/money-audit.ts';
import { createOrderStream } from '../helpers/order-stream.ts';
import type { OrderStream } from '../helpers/order-stream.ts';
import { silent } from '../helpers/order-world.ts';
import { stockLevel } from '../helpers/stock-topic.ts';
import { createTopic } from '../helpers/topics.ts';
import { waitFor } from '../helpers/wait.ts';

const TOPIC = kafkajs.ConfigResourceTypes.TOPIC;
const MINUTES = 60_000;
jest.setTimeout(6 * MINUTES);

let cluster: BrokerCluster;
let deployment: Deployment;
let orders: OrderStream;

beforeAll(async () => {
  cluster = await startBrokerCluster();
  deployment = await createDeployment({
    KAFKA_BROKERS: cluster.brokers,
    OMS_TOPIC_PARTITIONS: '3',
    OMS_SIM_PAYMENT_LATENCY: '0 ms',
    OMS_SIM_CARRIER_LATENCY: '0 ms',
    OMS_SIM_CARRIER_PICKUP: '200 ms',
    OMS_SIM_CARRIER_TRANSIT: '200 ms',
  });
  await Promise.all(ROLES.map((role) => deployment.start(role)));
  orders = await createOrderStream(deployment);
  await orders.closedFromNow(5);
}, 5 * MINUTES);
afterAll(async () => {
  await orders?.end();
  await deployment?.drop();
  await cluster?.stop();
}, MINUTES);

const groupOf = (role: string): string => groupName(deployment.config.OMS_PREFIX, role);
const others = (...nodes: NodeId[]): NodeId[] => NODES.filter((node) => !nodes.includes(node));

/** Puts a level on its topic, and waits until it is the stock's. */
async function stockTaken(sku: string): Promise<void> {
  const { topics, codec, db, config } = deployment;
  const connection = { brokers: config.KAFKA_BROKERS, clientId: 'test', logger: silent };
  const publisher = createPublisher({ connection });
  await publisher.publish([
    { topic: topics['stock-levels'], key: sku, value: codec.encode(topics['stock-levels'], stockLevel(sku)) },
  ]);
  await publisher.close();
  const taken = db.selectFrom('stock').select('sku').where('sku', '=', sku);
  await waitFor(`the level of ${sku}`, async () => (await taken.execute()).length > 0, 2 * MINUTES);
}

/** `oms … --json`, as it was printed, with its exit code. */
async function oms(...words: string[]): Promise<{ code: number | null; told: unknown }> {
  const { code, stdout, stderr } = await deployment.oms([...words, '--json']);
  if (!stdout) throw new Error(stderr);
  return { code, told: JSON.parse(stdout) };
}

/** A replay that only looks, from its plan to its end. */
async function validated(): Promise<{ code: number | null; told: unknown }> {
  const why = ['--why', 'a broker is lost'];
  const { told } = await oms('replay', 'plan', '--mode', 'validate', '--from', 'shipments', ...why);
  return oms('replay', 'run', (told as { replayId: string }).replayId);
}

/** One reader of ranges and one of topics, on a topic of their own, in the middle of it. */
async function startReaders() {
  const connection = { brokers: cluster.brokers.split(','), clientId: 'test', logger: silent, retries: 4 };
  const kafka = createKafka(connection);
  const admin = kafka.admin();
  await admin.connect();
  const topic = await filledTopic(admin, connection);
  const ranges = (await logEnds(admin, topic)).map(({ partition, high }) => ({
    partition,
    next: 0n,
    end: BigInt(high),
  }));
  const gate = Promise.withResolvers<void>();
  const read = (places: string[], begun: () => void) => async (records: readonly ConsumedRecord[]) => {
    begun();
    await gate.promise;
    places.push(...records.map(({ partition, offset }) => `${partition}/${offset}`));
    return true;
  };
  const [byRange, byTopic]: [string[], string[]] = [[], []];
  const begun = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const onRanges = read(byRange, () => begun[0]?.resolve());
  const all = { kafka, admin, topics: [topic], groupId: `${topic}-topics`, fromBeginning: true, follow: false };
  const done = Promise.all([
    readRanges({
      connection,
      topic,
      ranges,
      groupId: `${topic}-ranges`,
      onRecords: async (records) => void (await onRanges(records)),
    }),
    readTopics({ ...all, onRecords: read(byTopic, () => begun[1]?.resolve()) }),
  ]);
  await Promise.all(begun.map(({ promise }) => promise));
  return {
    records: RECORDS,
    goOn: gate.resolve,
    /** What each of them has been given, at the end. */
    places: async (): Promise<string[][]> => {
      await done;
      await admin.disconnect();
      return [byRange, byTopic];
    },
  };
}

/** Records so large that a fetch brings some of them only. */
const RECORDS = 60;
async function filledTopic(admin: Admin, connection: KafkaConnection): Promise<string> {
  const topic = `${deployment.config.OMS_PREFIX}readers-${randomUUID()}`;
  const configEntries = [{ name: 'min.insync.replicas', value: '2' }];
  await createTopic(admin, { topic, numPartitions: 3, replicationFactor: 3, configEntries });
  const publisher = createPublisher({ connection });
  const records = Array.from({ length: RECORDS }, (_, i) => ({ topic, key: String(i), value: Buffer.alloc(100_000) }));
  await publisher.publish(records);
  await publisher.close();
  return topic;
}

describe('oms setup on three brokers', () => {
  it('keeps three copies of each topic, two of which have to take a record', async () => {
    const admin = createKafka({ brokers: cluster.brokers.split(','), clientId: 'test', logger: silent }).admin();
    await admin.connect();
    const names = Object.values(deployment.topics);
    const { topics } = await admin.fetchTopicMetadata({ topics: names });
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: names.map((name) => ({ type: TOPIC, name, configNames: ['min.insync.replicas'] })),
    });
    await admin.disconnect();
    expect(topics.flatMap(({ partitions }) => partitions.map(({ replicas }) => replicas.length))).toEqual(
      topics.flatMap(({ partitions }) => partitions.map(() => 3)),
    );
    expect(resources.map(({ configEntries }) => configEntries[0]?.configValue)).toEqual(names.map(() => '2'));
  });
});

describe('the doctor on three brokers', () => {
  it('names a topic whose records count when one broker has them', async () => {
    const admin = createKafka({ brokers: cluster.brokers.split(','), clientId: 'test', logger: silent }).admin();
    await admin.connect();
    const name = deployment.topics.shipments;
    const { ownValues } = await topicConfig(admin, name);
    const set = async (values: Record<string, string>): Promise<void> => {
      const configEntries = Object.entries(values).map(([key, value]) => ({ name: key, value }));
      await admin.alterConfigs({ validateOnly: false, resources: [{ type: TOPIC, name, configEntries }] });
    };
    await set({ ...ownValues, 'min.insync.replicas': '1' });
    const { code, told } = await oms('doctor');
    await set(ownValues);
    await admin.disconnect();
    expect(code).toBe(1);
    expect(JSON.stringify(told)).toContain('min.insync.replicas is 1 instead of 2');
    expect(await oms('doctor')).toMatchObject({ code: 0 });
  });
});

describe('orders on three brokers, of which one is killed after the other', () => {
  it('go on without the one that keeps the offsets of ingest, as do readers, a replay and the doctor', async () => {
    const readers = await startReaders();
    const lost = await cluster.coordinator(groupOf('ingest'));
    await cluster.kill(lost);
    readers.goOn();
    await orders.closedFromNow(5);
    const [doctor, replay, lag, read] = await Promise.all([
      oms('doctor'),
      validated(),
      deployment.lag(),
      readers.places(),
    ]);
    expect(doctor).toMatchObject({ code: 0, told: { ok: true } });
    expect(JSON.stringify(doctor.told)).toContain('ECONNREFUSED');
    expect(replay).toMatchObject({ code: 0, told: { state: 'finished' } });
    expect(lag).toBeGreaterThanOrEqual(0);
    for (const places of read) expect(new Set(places).size).toBe(places.length);
    expect(read.map(({ length }) => length)).toEqual([readers.records, readers.records]);
    await cluster.start(lost);
    await cluster.whole();
  });

  it('go on without the one that keeps the offsets of a group that has nothing to read', async () => {
    const lost = await cluster.coordinator(groupOf('stock'));
    await cluster.kill(lost);
    await Promise.all([stockTaken('SKU-2'), orders.closedFromNow(5)]);
    await cluster.start(lost);
    await cluster.whole();
  });
});

describe('orders on three brokers, of which two are away', () => {
  it('are confirmed to nobody until they are back, and all of them then', async () => {
    const [one, two] = others(await cluster.coordinator(groupOf('ingest'))) as [NodeId, NodeId];
    await cluster.kill(one, two);
    const lost = new Date();
    const confirmed = orders.confirmed.length;
    let isTaken = false;
    const taken = stockTaken('SKU-3').then(() => (isTaken = true));
    expect(await oms('doctor')).toMatchObject({ code: 1, told: { ok: false } });
    expect(isTaken).toBe(false);
    // The confirmation of one may have been on its way.
    expect(orders.confirmed.length - confirmed).toBeLessThanOrEqual(1);
    const sent = deployment.db.selectFrom('outbox').select('event_id').where('sent_at', 'is not', null);
    expect(await sent.where('created_at', '>', lost).execute()).toEqual([]);
    await cluster.start(one, two);
    await Promise.all([taken, orders.closedFromNow(5)]);
    await cluster.whole();
  });
});

describe('orders whose leaders are moved by hand', () => {
  it('go on', async () => {
    const { orders: topic, shipments } = deployment.topics;
    for (const moved of [topic, shipments]) {
      for (const [partition, leader] of (await cluster.leaders(moved)).entries()) {
        const rest = others(leader as NodeId);
        await cluster.lead(moved, partition, rest);
        await cluster.lead(moved, partition, [...rest, leader as NodeId]);
      }
    }
    await orders.closedFromNow(5);
    expect(await deployment.lag()).toBeGreaterThanOrEqual(0);
    expect(await oms('doctor')).toMatchObject({ code: 0, told: { ok: true } });
  });
});

describe('after all of it', () => {
  it('every confirmed order is completed, and charged once', async () => {
    await orders.end();
    const settled = async (): Promise<boolean> => {
      const { rows } = await sql<{ open: number; unsent: number }>`
        select (select count(*) from ledger where state <> 'closed') as open,
          (select count(*) from outbox where sent_at is null) as unsent
      `.execute(deployment.db);
      return rows[0]?.open === 0 && rows[0].unsent === 0 && (await deployment.lag()) === 0;
    };
    await waitFor('all orders to be closed and all events sent', settled, 3 * MINUTES);
    const { db } = deployment;
    const taken = await db.selectFrom('orders').select(['order_id', 'status']).execute();
    expect(new Set(taken.map(({ order_id: id }) => id))).toEqual(new Set(orders.confirmed));
    expect(new Set(taken.map(({ status }) => status))).toEqual(new Set(['completed']));
    const charges = await db.selectFrom('simulated_charges').select('key').execute();
    expect(charges).toHaveLength(orders.confirmed.length);
    expect(await moneyFaults(db)).toEqual([]);
  });

  it('every event is on its topic, in order and without a gap', async () => {
    const all: ReadEvent[] = [];
    for (const kind of OUTGOING) {
      const told = withoutRepeats(await eventsOf(deployment, kind));
      expect(numberingFaults(kind, told)).toEqual([]);
      all.push(...told);
    }
    expect(versionGaps(all)).toEqual([]);
    expect(all).toHaveLength((await deployment.db.selectFrom('outbox').select('event_id').execute()).length);
  });

  it('the audit finds nothing wrong', async () => {
    expect(await oms('audit')).toMatchObject({ code: 0, told: { differences: [] } });
  });
});
