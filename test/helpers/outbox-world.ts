import { randomUUID } from 'node:crypto';
import type { Admin, Kafka } from 'kafkajs';
import { pino } from 'pino';
import { transaction } from '../../database/database.ts';
import type { Database } from '../../database/database.ts';
import type { EventEncoder, OutgoingTopic } from '../../database/outbox/outbox.ts';
import { logEnds } from '../../kafka/admin/log-ends.ts';
import { createKafka } from '../../kafka/client/client.ts';
import { orderStep } from '../../orders/record/step.ts';
import { loadConfig } from '../../platform/config/load.ts';
import type { Config } from '../../platform/config/settings.ts';
import { createTestDatabase } from './database.ts';
import { testEnvironment } from './stack.ts';
import { createTopic as createKafkaTopic } from './topics.ts';
import { waitFor } from './wait.ts';

export const logger = pino({ level: 'silent' });

/** A record as it stands on a topic. */
export interface TopicRecord {
  topic: string;
  partition: number;
  offset: string;
  key: string;
  value: Buffer;
  headers: Record<string, string>;
  timestamp: string;
}

/** Orders, an outbox and topics that belong to one test alone. */
export interface OutboxWorld {
  db: Database;
  /** Settings for a publisher in this world, as environment variables. */
  environment: Record<string, string>;
  config: Config;
  admin: Admin;
  createTopic(topic: OutgoingTopic): Promise<void>;
  /** Adds events to an order's outbox in one transaction, one for each topic given. */
  append(orderId: string, topics: readonly OutgoingTopic[], padding?: number): Promise<void>;
  unsent(): Promise<number>;
  /** Everything on a topic, from its beginning to its end as of now, partition by partition. */
  read(topic: OutgoingTopic): Promise<TopicRecord[]>;
  /** The same of a topic by its whole name. */
  readAny(topic: string): Promise<TopicRecord[]>;
  drop(): Promise<void>;
}

/** The bytes don't matter here, only that they are the outbox's. `fields.padding` makes them long. */
const encoder: EventEncoder = {
  encode: (event, envelope) => ({
    value: Buffer.from(JSON.stringify({ ...envelope, ...event.fields })),
    headers: { ce_id: envelope.eventId, ce_sequence: String(envelope.sequence) },
  }),
};

export async function createOutboxWorld(topics: readonly OutgoingTopic[]): Promise<OutboxWorld> {
  const database = await createTestDatabase();
  const prefix = `t${randomUUID().slice(0, 8)}.`;
  const environment = { ...testEnvironment(), DATABASE_URL: database.url, OMS_PREFIX: prefix, LOG_LEVEL: 'warn' };
  const config = loadConfig(environment);
  const kafka = createKafka({ brokers: config.KAFKA_BROKERS, clientId: 'test', logger });
  const admin = kafka.admin();
  await admin.connect();
  const createTopic = async (topic: OutgoingTopic): Promise<void> => {
    const configEntries = [{ name: 'max.message.bytes', value: String(2 * 1_024 * 1_024) }];
    await createKafkaTopic(admin, { topic: prefix + topic, numPartitions: 3, configEntries });
  };
  for (const topic of topics) await createTopic(topic);

  return {
    db: database.db,
    environment,
    config,
    admin,
    createTopic,
    append: (orderId, to, padding = 0) => append(database.db, orderId, to, padding),
    unsent: () => countUnsent(database.db),
    read: (topic) => readTopic(kafka, admin, prefix + topic),
    readAny: (topic) => readTopic(kafka, admin, topic),
    drop: async () => {
      const ours = (await admin.listTopics()).filter((topic) => topic.startsWith(prefix));
      await admin.deleteTopics({ topics: ours });
      await admin.disconnect();
      await database.drop();
    },
  };
}

async function append(db: Database, orderId: string, topics: readonly OutgoingTopic[], padding: number): Promise<void> {
  const order = { order_id: orderId, run_id: 'run', source: 'test', customer_id: 'c', currency: 'GBP' };
  await transaction(db, async (tx) => {
    // Setting what stands there locks the row: of two that append at once the second waits instead of trying again.
    await tx
      .insertInto('orders')
      .values({ ...order, status: 'pending', placed_at: new Date() })
      .onConflict((conflict) => conflict.column('order_id').doUpdateSet({ run_id: order.run_id }))
      .execute();
    const fields = { padding: 'x'.repeat(padding) };
    const events = topics.map((topic) => ({ topic, eventId: randomUUID(), type: 'Told', cause: 'test', fields }));
    await orderStep({ db: tx, encoder }, orderId, 'test', (step) => {
      for (const event of events) step.tell(event);
    });
  });
}

async function countUnsent(db: Database): Promise<number> {
  const count = db.selectFrom('outbox').where('sent_at', 'is', null);
  const row = await count.select((eb) => eb.fn.countAll<number>().as('count')).executeTakeFirstOrThrow();
  return Number(row.count);
}

async function readTopic(kafka: Kafka, admin: Admin, topic: string): Promise<TopicRecord[]> {
  const ends = (await logEnds(admin, topic)).filter(({ low, high }) => low !== high);
  const records: TopicRecord[] = [];
  const left = new Set(ends.map(({ partition }) => partition));
  if (left.size === 0) return [];
  const groupId = `${topic}-${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatch: ({ batch: { partition, messages } }) => {
      for (const { offset, key, value, headers = {}, timestamp } of messages) {
        const texts = Object.entries(headers).map(([name, header]) => [name, String(header)]);
        const body = value ?? Buffer.alloc(0);
        const record = { topic, partition, offset, key: String(key), value: body, timestamp };
        records.push({ ...record, headers: Object.fromEntries(texts) as Record<string, string> });
        const end = ends.find((one) => one.partition === partition);
        if (BigInt(offset) + 1n >= BigInt(end?.high ?? 0)) left.delete(partition);
      }
      return Promise.resolve();
    },
  });
  await waitFor(`the end of ${topic}`, () => left.size === 0);
  await consumer.disconnect();
  await admin.deleteGroups([groupId]);
  return records;
}

/** Keeps the first of records with the same event id, in topic order. */
export function firsts(records: readonly TopicRecord[]): TopicRecord[] {
  const seen = new Set<string | undefined>();
  return records.filter(({ headers }) => !seen.has(headers.ce_id) && seen.add(headers.ce_id));
}

/** The sequences of each order's events, in topic order. */
export function sequencesByOrder(records: readonly TopicRecord[]): Map<string, number[]> {
  const byOrder = Map.groupBy(records, ({ key }) => key);
  return new Map([...byOrder].map(([key, own]) => [key, own.map(({ headers }) => Number(headers.ce_sequence))]));
}

export function oneTo(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i + 1);
}
