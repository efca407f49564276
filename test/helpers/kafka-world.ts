import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import type { Admin, IHeaders } from 'kafkajs';
import { logEnds } from '../../kafka/admin/log-ends.ts';
import { createKafka } from '../../kafka/client/client.ts';
import type { KafkaConnection } from '../../kafka/client/client.ts';
import { createLogger } from '../../platform/logger.ts';
import { API, WireReader, WireWriter, createFrameCutter } from './kafka-wire.ts';
import { testEnvironment } from './stack.ts';
import { createTopic } from './topics.ts';

/** A record as it lies in the log, for comparing. */
export interface LoggedRecord {
  partition: number;
  offset: bigint;
  key: string | null;
  value: string | null;
  headers: IHeaders;
}

/** Topics, groups and clients of one test file; gone when it is closed. */
export interface KafkaWorld {
  readonly broker: string;
  readonly admin: Admin;
  connection(more?: Partial<KafkaConnection>): KafkaConnection;
  topic(partitions?: number, config?: Record<string, string>): Promise<string>;
  group(): string;
  /** All that the topic holds, in offset order per partition. */
  log(topic: string): Promise<LoggedRecord[]>;
  /** Committed offsets by partition; -1: none. */
  committed(group: string, topic: string): Promise<bigint[]>;
  close(): Promise<void>;
}

export async function createKafkaWorld(): Promise<KafkaWorld> {
  const [broker = ''] = testEnvironment().KAFKA_BROKERS.split(',');
  const logger = createLogger({ role: 'test', level: 'silent' });
  const connection = (more: Partial<KafkaConnection> = {}): KafkaConnection => ({
    brokers: [broker],
    clientId: 'test',
    logger,
    ...more,
  });
  const admin = createKafka(connection({ retries: 10 })).admin();
  await admin.connect();
  const name = (what: string): string => `test-${what}-${randomBytes(6).toString('hex')}`;
  const topics: string[] = [];
  return {
    broker,
    admin,
    connection,
    topic: async (partitions = 1, config = {}) => {
      const topic = name('topic');
      topics.push(topic);
      const configEntries = Object.entries(config).map(([key, value]) => ({ name: key, value }));
      await createTopic(admin, { topic, numPartitions: partitions, replicationFactor: 1, configEntries });
      return topic;
    },
    group: () => name('group'),
    log: (topic) => readLog(connection(), admin, topic, name('reader')),
    committed: async (group, topic) => {
      const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
      const sorted = [...(found?.partitions ?? [])].sort((a, b) => a.partition - b.partition);
      return sorted.map(({ offset }) => BigInt(offset));
    },
    close: async () => {
      if (topics.length > 0) await admin.deleteTopics({ topics });
      await admin.disconnect();
    },
  };
}

/** Reads with kafkajs as it is: what a test compares with must not come from the code under test. */
async function readLog(
  connection: KafkaConnection,
  admin: Admin,
  topic: string,
  groupId: string,
): Promise<LoggedRecord[]> {
  const ends = await logEnds(admin, topic);
  const missing = new Set(ends.filter(({ high, low }) => high !== low).map(({ partition }) => partition));
  const endOf = new Map(ends.map(({ partition, high }) => [partition, BigInt(high)]));
  const records: LoggedRecord[] = [];
  if (missing.size === 0) return records;
  const consumer = createKafka(connection).consumer({ groupId, maxWaitTimeInMs: 100 });
  const { promise: complete, resolve } = Promise.withResolvers<void>();
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ partition, message }) => {
      const offset = BigInt(message.offset);
      const text = (bytes: Buffer | null): string | null => (bytes === null ? null : bytes.toString());
      records.push({
        partition,
        offset,
        key: text(message.key),
        value: text(message.value),
        headers: message.headers ?? {},
      });
      if (offset + 1n === endOf.get(partition)) missing.delete(partition);
      if (missing.size === 0) resolve();
    },
  });
  await complete;
  await consumer.disconnect();
  await admin.deleteGroups([groupId]);
  return records.sort((a, b) => a.partition - b.partition || Number(a.offset - b.offset));
}

/** Appends a record batch as it is, as another client would have sent it. @throws Error with the broker's code */
export async function produceRaw(broker: string, topic: string, batch: Buffer): Promise<void> {
  const request = new WireWriter().int16(API.Produce).int16(7).int32(1).string('test');
  request.string(null).int16(-1).int32(10_000).int32(1).string(topic).int32(1).int32(0).int32(batch.length).raw(batch);
  const reader = await answerTo(broker, request);
  reader.bytes(4 + 4);
  reader.string();
  reader.bytes(4 + 4);
  const code = reader.int16();
  if (code !== 0) throw new Error(`the broker refused the batch with code ${code}`);
}

/** How fast clients of this id may read, all together; null = as fast as they can. @throws Error with the broker's code */
export async function limitReading(broker: string, clientId: string, bytesPerSecond: number | null): Promise<void> {
  const rate = Buffer.alloc(8);
  rate.writeDoubleBE(bytesPerSecond ?? 0);
  const request = new WireWriter().int16(API.AlterClientQuotas).int16(0).int32(1).string('test');
  request.int32(1).int32(1).string('client-id').string(clientId);
  request.int32(1).string('consumer_byte_rate').raw(rate);
  request.int8(bytesPerSecond === null ? 1 : 0).int8(0);
  const reader = await answerTo(broker, request);
  reader.bytes(4 + 4 + 4);
  const code = reader.int16();
  if (code !== 0) throw new Error(`the broker refused the quota with code ${code}`);
}

async function answerTo(broker: string, request: WireWriter): Promise<WireReader> {
  const [host = '', port = ''] = broker.split(':');
  const socket = connect(Number(port), host);
  try {
    const answer = await new Promise<Buffer>((resolve, reject) => {
      socket.on('error', reject).on('data', createFrameCutter(resolve));
      socket.write(request.frame());
    });
    return new WireReader(answer);
  } finally {
    socket.destroy();
  }
}
