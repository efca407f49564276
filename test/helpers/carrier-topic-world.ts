import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import type { Admin } from 'kafkajs';
import { openDatabase } from '../../database/database.ts';
import { createCarrierNews } from '../../ingest/carrier/main.ts';
import type { CarrierNewsWays } from '../../ingest/carrier/main.ts';
import { logEnds } from '../../kafka/admin/log-ends.ts';
import { createKafka } from '../../kafka/client/client.ts';
import { createCodec } from '../../kafka/codec/codec.ts';
import type { Codec } from '../../kafka/codec/codec.ts';
import { createRegistry } from '../../kafka/codec/registry.ts';
import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';
import { createPublisher } from '../../kafka/producer/publisher.ts';
import { readTopics as readRecords } from '../../kafka/reader/read-topics.ts';
import { groupName, topicNames, topicSchemas } from '../../kafka/topics.ts';
import { readTopics } from '../../operations/topics/tail.ts';
import type { TopicRecord } from '../../operations/topics/tail.ts';
import { readProgress } from '../../orders/record/progress.ts';
import { loadConfig } from '../../platform/config/load.ts';
import { createMetrics } from '../../platform/metrics.ts';
import { carrierPushes } from '../../resources/providers.ts';
import type { CarrierUpdate } from '../../schemas/index.ts';
import { createFulfillmentWorld } from './fulfillment-world.ts';
import type { FulfillmentWorld } from './fulfillment-world.ts';
import { silent } from './order-world.ts';
import { testEnvironment } from './stack.ts';
import { createTopic } from './topics.ts';
import { waitFor } from './wait.ts';

/** The carriers' topic of one test file alone, and an ingest that reads it. */
export interface CarrierTopicWorld extends FulfillmentWorld {
  /** Settings of this world, as environment variables. */
  environment: Record<string, string>;
  codec: Codec;
  /** Starts the ways of the carriers' news. What is stopped is stopped once. */
  startNews(options?: { settings?: Record<string, string>; databaseUrl?: string }): Promise<RunningNews>;
  /** An update as an adapter writes it, with what is given. */
  update: (shipmentId: string, status: CarrierUpdate['status'], more?: Partial<CarrierUpdate>) => CarrierUpdate;
  /** Puts records on the topic: updates, keyed as they should be, or anything else. */
  produce(...records: (CarrierUpdate | { key: string | null; value: Buffer | null })[]): Promise<void>;
  untilRead(): Promise<void>;
  committed(): Promise<number>;
  /** Everything on the topic. */
  records(): Promise<ConsumedRecord[]>;
  deadLetters(): Promise<TopicRecord[]>;
  /** Places an order of two shipments and brings it as far as booked; returns its id. */
  booked(): Promise<string>;
  shipments(orderId: string): Promise<(string | null)[]>;
}

export interface RunningNews extends Omit<CarrierNewsWays, 'stop'> {
  stop(): Promise<void>;
  /** News by `way outcome` so far. */
  counted: () => Promise<Record<string, number>>;
}

export async function createCarrierTopicWorld(): Promise<CarrierTopicWorld> {
  const world = await createFulfillmentWorld();
  await world.stock([
    { warehouse: 'east', sku: 'e', onHand: 1_000 },
    { warehouse: 'west', sku: 'w', onHand: 1_000 },
  ]);
  const { prefix } = world;
  const environment = { ...testEnvironment(), DATABASE_URL: world.url, OMS_PREFIX: prefix };
  const config = loadConfig(environment);
  const topics = topicNames(prefix);
  const kafka = createKafka({ brokers: config.KAFKA_BROKERS, clientId: 'test', logger: silent, retries: 10 });
  const admin = kafka.admin();
  await admin.connect();
  for (const topic of [topics['carrier-updates'], topics['orders.dlq']])
    await createTopic(admin, { topic, numPartitions: 1 });
  const registry = createRegistry({ url: config.SCHEMA_REGISTRY_URL });
  const codec = createCodec({ registry, schemas: topicSchemas(prefix) });
  await codec.load();
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const topic = topics['carrier-updates'];
  const stops = new Set<() => Promise<void>>();
  const committed = async (): Promise<number> => {
    const [found] = await admin.fetchOffsets({ groupId: groupName(prefix, 'carrier'), topics: [topic] });
    return Math.max(0, Number(found?.partitions[0]?.offset ?? 0));
  };

  const fromBeginning = () => ({ groupId: `${prefix}${randomUUID()}`, fromBeginning: true, follow: false });

  return {
    ...world,
    environment,
    codec,
    committed,
    startNews: async ({ settings = {}, databaseUrl = world.url } = {}) => {
      const given = loadConfig({ ...environment, OMS_SWEEP_INTERVAL: '1 s', ...settings });
      const temporal = Connection.lazy({ address: given.TEMPORAL_ADDRESS });
      const publisher = createPublisher({
        connection: { brokers: given.KAFKA_BROKERS, clientId: 'test', logger: silent },
      });
      const db = openDatabase({ url: databaseUrl, poolSize: 4, applicationName: 'test' });
      const metrics = createMetrics('ingest');
      const news = createCarrierNews({
        ...{ config: given, db, codec, publisher, metrics, encoder: world.encoder, logger: silent },
        temporal: new Client({ connection: temporal }),
        connection: { brokers: given.KAFKA_BROKERS, clientId: 'test', logger: silent },
        pushes: carrierPushes(given, silent),
        counters: { offsetAlert: () => undefined, rebalance: () => undefined },
        sessionTimeoutMs: 6_000,
        onCrash: (error) => {
          throw error;
        },
      });
      await news.start();
      const stop = async (): Promise<void> => {
        if (!stops.delete(stop)) return;
        await news.stop({ graceMs: 10_000 });
        await publisher.close();
        await Promise.all([db.destroy(), temporal.close()]);
      };
      stops.add(stop);
      return { ...news, stop, counted: () => countedIn(metrics) };
    },
    update: (shipmentId, status, more = {}) => ({
      ...{ updateId: `${shipmentId}/${status}`, shipmentId, status, occurredAt: Date.UTC(2026, 0, 2) },
      ...{ carrier: 'Royal Post', trackingNumber: 'RP-1', detail: null, ...more },
    }),
    produce: async (...records) => {
      const messages = records.map((record) =>
        'updateId' in record ? { key: record.shipmentId, value: codec.encode(topic, record) } : record,
      );
      await producer.send({ topic, messages });
    },
    untilRead: async () => {
      await waitFor('all updates to be committed', async () => (await endOf(admin, topic)) === (await committed()));
    },
    records: async () => {
      const all: ConsumedRecord[] = [];
      const onRecords = (records: readonly ConsumedRecord[]) => Promise.resolve(all.push(...records) > 0);
      await readRecords({ kafka, admin, topics: [topic], ...fromBeginning(), onRecords });
      return all;
    },
    deadLetters: async () => {
      const all: TopicRecord[] = [];
      const onRecords = (records: readonly TopicRecord[]) => Promise.resolve(all.push(...records) > 0);
      await readTopics({ kafka, admin, topics: [topics['orders.dlq']], ...fromBeginning(), onRecords });
      return all;
    },
    booked: async () => {
      const orderId = `${prefix}${randomUUID().slice(0, 8)}`;
      const ids = [`${orderId}:1`, `${orderId}:2`];
      await world.place(orderId, [
        { sku: 'e', quantity: 3 },
        { sku: 'w', quantity: 2 },
      ]);
      await world.activities.takeOrder(orderId, 'run');
      await world.activities.chargeFulfillments(orderId, ids);
      await world.activities.bookShipments(orderId, ids);
      return orderId;
    },
    shipments: async (orderId) => (await readProgress(world.db, orderId)).fulfillments.map(({ shipment }) => shipment),
    drop: async () => {
      for (const stop of [...stops]) await stop();
      const ours = (await admin.listTopics()).filter((one) => one.startsWith(prefix));
      await admin.deleteTopics({ topics: ours });
      await Promise.all([producer.disconnect(), admin.disconnect()]);
      await world.drop();
    },
  };
}

async function endOf(admin: Admin, topic: string): Promise<number> {
  const ends = await logEnds(admin, topic);
  return ends.reduce((sum, { high }) => sum + Number(high), 0);
}

async function countedIn(metrics: ReturnType<typeof createMetrics>): Promise<Record<string, number>> {
  const found = await metrics.getSingleMetric('oms_carrier_news_total')?.get();
  return Object.fromEntries(
    found?.values.map(({ labels, value }) => [`${labels['way']} ${labels['outcome']}`, value]) ?? [],
  );
}
