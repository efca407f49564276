import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import kafkajs from 'kafkajs';
import { sql } from 'kysely';
import { createKafka } from '../../kafka/client.ts';
import { createPublisher } from '../../kafka/publisher.ts';
import { groupName } from '../../kafka/topics.ts';
import { NODES, startBrokerCluster } from '../helpers/broker-cluster.ts';
import type { BrokerCluster, NodeId } from '../helpers/broker-cluster.ts';
import { createDeployment, ROLES } from '../helpers/deployment.ts';
import type { Deployment } from '../helpers/deployment.ts';
import { eventsOf, numberingFaults, OUTGOING, versionGaps, withoutRepeats } from '../helpers/end-state.ts';
import type { ReadEvent } from '../helpers/end-state.ts';
import { moneyFaults } from '../helpers/money-audit.ts';
import { silent } from '../helpers/order-world.ts';
import { createOrderStream } from '../helpers/order-stream.ts';
import type { OrderStream } from '../helpers/order-stream.ts';
import { stockLevel } from '../helpers/stock-topic.ts';
import { waitFor } from '../helpers/wait.ts';

const TOPIC = kafkajs.ConfigResourceTypes.TOPIC;
const MINUTES = 60_000;

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

describe('orders on three brokers, of which one is killed after the other', () => {
  it('go on without the one that keeps the offsets of ingest, a replay and the commands as well', async () => {
    const planned = await oms('replay', 'plan', '--mode', 'validate', '--from', 'orders', '--why', 'a broker is lost');
    const { replayId } = planned.told as { replayId: string };
    const replayed = oms('replay', 'run', replayId, '--rate', '2');
    await waitFor('the replay to have begun', async () => {
      const { told } = await oms('replay', 'status', replayId);
      return (told as { tallies: { duplicate?: number } }).tallies.duplicate;
    });
    const lost = await cluster.coordinator(groupOf('ingest'));
    await cluster.kill(lost);
    await orders.closedFromNow(5);
    const [doctor, replay, lag] = await Promise.all([oms('doctor'), replayed, deployment.lag()]);
    expect(doctor).toMatchObject({ code: 0, told: { ok: true } });
    expect(JSON.stringify(doctor.told)).toContain('ECONNREFUSED');
    expect(replay).toMatchObject({ code: 0, told: { state: 'finished' } });
    expect(lag).toBeGreaterThanOrEqual(0);
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
