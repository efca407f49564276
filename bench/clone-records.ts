import { Kafka, logLevel } from 'kafkajs';
import type { Message, TopicMessages } from 'kafkajs';
import { readTopics } from '../kafka/read-topics.ts';
import type { ConsumedRecord } from '../kafka/consumer.ts';
import { groupName } from '../kafka/topics.ts';
import { idOf } from './clone-rows.ts';
import type { World } from './world.ts';
import { logEnds } from '../kafka/log-ends.ts';

const TOPICS = ['orders', 'shipments', 'invoices', 'deliveries', 'order-status'];
/** Orders whose records are sent together. */
const AT_ONCE = 500;

/** Puts on every topic what stands there of order `template`, for orders `from` to `to` (not included); ingest has read it. */
export async function cloneRecords(world: World, template: number, from: number, to: number): Promise<void> {
  const brokers = (world.environment.KAFKA_BROKERS ?? '').split(',');
  const kafka = new Kafka({ brokers, clientId: 'bench', logLevel: logLevel.NOTHING });
  const [producer, admin] = [kafka.producer({ allowAutoTopicCreation: false }), kafka.admin()];
  await Promise.all([producer.connect(), admin.connect()]);
  const groupId = groupName(world.prefix, `bench-${template}`);
  const topics = TOPICS.map((topic) => world.prefix + topic);
  const records: ConsumedRecord[] = [];
  const onRecords = (batch: readonly ConsumedRecord[]): Promise<boolean> => {
    records.push(...batch.filter(({ key }) => key?.toString() === idOf(template)));
    return Promise.resolve(true);
  };
  await readTopics({ kafka, admin, topics, groupId, fromBeginning: true, follow: false, onRecords });
  for (let n = from; n < to; n += AT_ONCE) {
    const ids = Array.from({ length: Math.min(AT_ONCE, to - n) }, (_, i) => idOf(n + i));
    await producer.sendBatch({ topicMessages: topics.map((topic) => messagesOf(topic, records, idOf(template), ids)) });
  }
  await markRead(world, admin);
  await Promise.all([producer.disconnect(), admin.disconnect()]);
}

function messagesOf(topic: string, records: readonly ConsumedRecord[], template: string, ids: string[]): TopicMessages {
  const own = records.filter((record) => record.topic === topic);
  return { topic, messages: ids.flatMap((id) => own.map((record) => copyOf(record, template, id))) };
}

function copyOf({ key, value, headers }: ConsumedRecord, template: string, id: string): Message {
  const copied = Object.entries(headers).map(([name, header]) => [name, header?.toString().replaceAll(template, id)]);
  return {
    key: key && id,
    value: value && renamed(value, template, id),
    headers: Object.fromEntries(copied) as Record<string, string>,
  };
}

/** The bytes with one id in the place of the other: they are of one length. */
function renamed(bytes: Buffer, template: string, id: string): Buffer {
  const copy = Buffer.from(bytes);
  for (let at = copy.indexOf(template); at >= 0; at = copy.indexOf(template, at + id.length)) copy.write(id, at);
  return copy;
}

async function markRead(world: World, admin: ReturnType<Kafka['admin']>): Promise<void> {
  const topic = `${world.prefix}orders`;
  const partitions = (await logEnds(admin, topic)).map(({ partition, high }) => ({ partition, offset: high }));
  await admin.setOffsets({ groupId: groupName(world.prefix, 'ingest'), topic, partitions });
}
