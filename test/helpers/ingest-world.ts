import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { sql } from 'kysely';
import type { Admin, Producer } from 'kafkajs';
import type { Database } from '../../database/database.ts';
import { LIFECYCLE_SIGNAL } from '../../domain/contract.ts';
import type { OrderInput } from '../../domain/contract.ts';
import { orderWorkflowId } from '../../domain/ids.ts';
import type { LifecycleMessage } from '../../domain/order-messages.ts';
import { logEnds } from '../../kafka/admin/log-ends.ts';
import { createKafka } from '../../kafka/client/client.ts';
import { createCodec } from '../../kafka/codec/codec.ts';
import { createRegistry } from '../../kafka/codec/registry.ts';
import { groupName, topicNames, topicSchemas } from '../../kafka/topics.ts';
import { setupSubjects } from '../../operations/setup/subjects.ts';
import { readTopics } from '../../operations/topics/tail.ts';
import type { TopicRecord } from '../../operations/topics/tail.ts';
import { loadConfig } from '../../platform/config/load.ts';
import type { OrderEvent } from '../../schemas/index.ts';
import { createTestDatabase } from './database.ts';
import { silent } from './order-world.ts';
import { testEnvironment } from './stack.ts';
import { waitFor } from './wait.ts';

/** A record to be put on the orders topic: an event, encoded and keyed as it should be, or anything else. */
export type Incoming =
  | OrderEvent
  | {
      key: string | Buffer | null;
      value: Buffer | null;
      partition?: number;
      headers?: Record<string, string | Buffer | (string | Buffer)[]>;
    };

/** What a run was told, in the order of its history. */
export interface ToldRun {
  input: OrderInput;
  /** Event ids of the lifecycle signals. */
  signals: string[];
}

export interface LedgerRow {
  state: string;
  source: string | null;
}

/** Topics, a database and order ids of one test file alone, with what is needed to look at all of it. */
export interface IngestWorld {
  environment: Record<string, string>;
  db: Database;
  admin: Admin;
  topics: ReturnType<typeof topicNames>;
  groupId: string;
  /** An order id nobody else has: workflows of all tests share a namespace. */
  id(name: string): string;
  encode(event: OrderEvent): Buffer;
  /** Puts records on the orders topic, one after the other, all on partition 0 unless told. */
  produce(...records: Incoming[]): Promise<void>;
  /** Waits until the group has committed everything that is on the orders topic. */
  untilRead(): Promise<void>;
  /** Offset committed for a partition; -1 = none. */
  committed(partition?: number): Promise<number>;
  deadLetters(): Promise<TopicRecord[]>;
  ledger(orderId: string): Promise<LedgerRow | undefined>;
  /** Event ids in the ledger that are done with, by outcome. */
  done(orderId: string): Promise<Record<string, string>>;
  /** What the order's only run was told; undefined when there is none. Fails when there was more than one. */
  run(orderId: string): Promise<ToldRun | undefined>;
  client: Client;
  createTopic(topic: string): Promise<void>;
  drop(): Promise<void>;
}

export interface IngestWorldOptions {
  partitions?: number;
  settings?: Record<string, string>;
  /** Without a dead letter topic. */
  withoutDeadLetters?: boolean;
}

/** Ends what hangs, on a machine that does many other things. */
const READ_DEADLINE_MS = 5 * 60_000;

const TOPIC_BYTES = { name: 'max.message.bytes', value: String(3 * 1_024 * 1_024) };

export async function createIngestWorld(options: IngestWorldOptions = {}): Promise<IngestWorld> {
  const database = await createTestDatabase();
  const name = `t${randomUUID().slice(0, 8)}`;
  const environment = {
    ...testEnvironment(),
    DATABASE_URL: database.url,
    OMS_PREFIX: `${name}.`,
    LOG_LEVEL: 'fatal',
    OMS_SWEEP_INTERVAL: '1 h',
    OMS_INGEST_PORT: '0',
    ...options.settings,
  };
  const config = loadConfig(environment);
  const topics = topicNames(config.OMS_PREFIX);
  const kafka = createKafka({ brokers: config.KAFKA_BROKERS, clientId: 'test', logger: silent, retries: 10 });
  const admin = kafka.admin();
  await admin.connect();
  const create = async (topic: string): Promise<void> => {
    const numPartitions = options.partitions ?? 1;
    const wanted = { topic, numPartitions, configEntries: [TOPIC_BYTES] };
    // Brokers learn of a new topic a moment later: kafkajs' own waiting takes their "unknown" for an error.
    await admin.createTopics({ waitForLeaders: false, topics: [wanted] });
    await waitFor(`topic ${topic}`, () =>
      logEnds(admin, topic).then(
        (partitions) => partitions.length === numPartitions,
        () => false,
      ),
    );
  };
  await create(topics.orders);
  await create(topics['stock-levels']);
  await create(topics['carrier-updates']);
  if (!options.withoutDeadLetters) await create(topics['orders.dlq']);
  await setupSubjects(config.SCHEMA_REGISTRY_URL, config.OMS_PREFIX, () => undefined);
  const registry = createRegistry({ url: config.SCHEMA_REGISTRY_URL });
  const codec = createCodec({ registry, schemas: topicSchemas(config.OMS_PREFIX) });
  await codec.load([topics.orders]);
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const connection = await Connection.connect({ address: config.TEMPORAL_ADDRESS });
  const client = new Client({ connection, namespace: config.TEMPORAL_NAMESPACE });
  const groupId = groupName(config.OMS_PREFIX, 'ingest');
  const encode = (event: OrderEvent): Buffer => codec.encode(topics.orders, event);
  const { db } = database;
  return {
    ...{ environment, db, admin, topics, groupId, client, encode },
    id: (local) => `${name}-${local}`,
    produce: (...records) => produce(producer, topics.orders, encode, records),
    untilRead: async () => {
      await waitFor(
        'all records to be committed',
        async () => (await lagOf(admin, groupId, topics.orders)) === 0,
        READ_DEADLINE_MS,
      );
    },
    committed: async (partition = 0) => {
      const [found] = await admin.fetchOffsets({ groupId, topics: [topics.orders] });
      return Number(found?.partitions.find((one) => one.partition === partition)?.offset ?? -1);
    },
    deadLetters: async () => {
      const all: TopicRecord[] = [];
      const onRecords = (records: readonly TopicRecord[]) => Promise.resolve(all.push(...records) > 0);
      const reading = { topics: [topics['orders.dlq']], groupId: `${name}-${randomUUID()}` };
      await readTopics({ kafka, admin, ...reading, fromBeginning: true, follow: false, onRecords });
      return all;
    },
    ledger: (orderId) =>
      db.selectFrom('ledger').select(['state', 'source']).where('order_id', '=', orderId).executeTakeFirst(),
    done: async (orderId) => {
      const rows = db.selectFrom('ledger_events').select(['event_id', 'outcome']).where('order_id', '=', orderId);
      return Object.fromEntries((await rows.execute()).map((row) => [row.event_id, row.outcome]));
    },
    run: (orderId) => readRun(client, orderId),
    createTopic: create,
    drop: async () => {
      await terminateAll(client, db);
      const ours = (await admin.listTopics()).filter((topic) => topic.startsWith(config.OMS_PREFIX));
      await admin.deleteTopics({ topics: ours });
      await Promise.all([producer.disconnect(), admin.disconnect(), connection.close()]);
      await database.drop();
    },
  };
}

async function produce(
  producer: Producer,
  topic: string,
  encode: (event: OrderEvent) => Buffer,
  records: readonly Incoming[],
): Promise<void> {
  const messages = records.map((record) =>
    'payload' in record ? { key: record.orderId, value: encode(record), partition: 0 } : { partition: 0, ...record },
  );
  await producer.send({ topic, messages });
}

async function lagOf(admin: Admin, groupId: string, topic: string): Promise<number> {
  const ends = await logEnds(admin, topic);
  const [found] = await admin.fetchOffsets({ groupId, topics: [topic] });
  const committed = new Map(found?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
  return ends.reduce((sum, end) => sum + Number(end.high) - Math.max(0, committed.get(end.partition) ?? 0), 0);
}

/** One event of a history, as far as it is looked at here. */
interface HistoryEvent {
  workflowExecutionStartedEventAttributes?: { input?: Payloads | null } | null;
  workflowExecutionSignaledEventAttributes?: { signalName?: string | null; input?: Payloads | null } | null;
}
interface Payloads {
  payloads?: { data?: Uint8Array | null }[] | null;
}

/** gRPC's. */
const NOT_FOUND = 5;

async function readRun(client: Client, orderId: string): Promise<ToldRun | undefined> {
  const handle = client.workflow.getHandle(orderWorkflowId(orderId));
  const history = await handle.fetchHistory().catch((error: unknown) => {
    if ((error as { code?: number }).code === NOT_FOUND) return undefined;
    throw error;
  });
  if (!history) return undefined;
  const events = (history.events ?? []) as HistoryEvent[];
  const input = events.map((event) => event.workflowExecutionStartedEventAttributes).find(Boolean)?.input;
  const signals = events.flatMap(({ workflowExecutionSignaledEventAttributes: signal }) =>
    signal?.signalName === LIFECYCLE_SIGNAL ? [argument<LifecycleMessage>(signal.input).eventId] : [],
  );
  return { input: argument<OrderInput>(input), signals };
}

function argument<T>(input: Payloads | null | undefined): T {
  return JSON.parse(Buffer.from(input?.payloads?.[0]?.data ?? []).toString()) as T;
}

/** No worker takes these runs: left alone, they would stay open on the shared server. */
async function terminateAll(client: Client, db: Database): Promise<void> {
  const { rows } = await sql<{ order_id: string }>`select order_id from ledger where state <> 'awaited'`.execute(db);
  const terminate = ({ order_id }: { order_id: string }) =>
    client.workflow
      .getHandle(orderWorkflowId(order_id))
      .terminate('the test is over')
      .catch(() => undefined);
  await Promise.all(rows.map(terminate));
}
