import { Kafka, Partitioners, logLevel } from 'kafkajs';
import type { Admin } from 'kafkajs';
import { logEnds } from '../../kafka/admin/log-ends.ts';
import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';
import { readTopics } from '../../kafka/reader/read-topics.ts';
import { groupName } from '../../kafka/topics.ts';
import { idOf } from './clone-rows.ts';
import type { Copies } from './clone-rows.ts';
import { connectRaw, produceRaw } from './raw-produce.ts';
import { createBatchWriter, recordTemplate } from './record-batch.ts';
import type { BatchWriter, RecordTemplate } from './record-batch.ts';
import type { World } from './world.ts';

const TOPICS = ['orders', 'shipments', 'invoices', 'deliveries', 'order-status'];
/** Bytes of a partition that are sent together; topics take batches of a little more. */
const BATCH_BYTES = 512 * 1_024;

/** Puts on every topic what stands there of each template, for all its copies; ingest has read it. */
export async function cloneRecords(world: World, all: readonly Copies[]): Promise<void> {
  const brokers = (world.environment.KAFKA_BROKERS ?? '').split(',');
  const kafka = new Kafka({ brokers, clientId: 'bench', logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const records = await readAll(world, kafka, admin);
  const socket = await connectRaw(brokers[0] ?? '');
  for (const name of TOPICS) {
    const topic = world.prefix + name;
    const partitions = (await logEnds(admin, topic)).length;
    const own = records.filter((record) => record.topic === topic);
    await fill(
      all.map((copies) => ({ ...copies, templates: templatesOf(own, idOf(copies.template)) })),
      { partitions, send: (partition, bytes) => produceRaw(socket, topic, [{ partition, bytes }]) },
    );
  }
  socket.end();
  await markRead(world, admin);
  await admin.disconnect();
}

async function readAll(world: World, kafka: Kafka, admin: Admin): Promise<ConsumedRecord[]> {
  const records: ConsumedRecord[] = [];
  const topics = TOPICS.map((topic) => world.prefix + topic);
  await readTopics({
    ...{ kafka, admin, topics, groupId: groupName(world.prefix, 'bench'), fromBeginning: true, follow: false },
    onRecords: (batch) => Promise.resolve(records.push(...batch) > 0),
  });
  return records;
}

function templatesOf(records: readonly ConsumedRecord[], id: string): RecordTemplate[] {
  return records.filter(({ key }) => key?.toString() === id).map((record) => recordTemplate(record, id));
}

interface Target {
  partitions: number;
  send: (partition: number, bytes: Buffer) => Promise<void>;
}

async function fill(all: readonly (Copies & { templates: RecordTemplate[] })[], target: Target): Promise<void> {
  const partitionOf = partitioner(target.partitions);
  const writers = Array.from({ length: target.partitions }, createBatchWriter);
  const flush = (writer: BatchWriter, partition: number): Promise<void> => target.send(partition, writer.finish());
  for (const { from, to, templates } of all) {
    for (let n = from; n < to; n++) {
      const id = idOf(n);
      const partition = partitionOf(id);
      const writer = writers[partition];
      if (!writer) continue;
      for (const template of templates) writer.add(template, id);
      if (writer.bytes() >= BATCH_BYTES) await flush(writer, partition);
    }
  }
  for (const [partition, writer] of writers.entries()) if (writer.bytes() > 0) await flush(writer, partition);
}

/** As the publisher and producers choose. */
function partitioner(partitions: number): (key: string) => number {
  const choose = Partitioners.DefaultPartitioner();
  const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
    ...{ partitionId, leader: 0, partitionErrorCode: 0, isr: [], replicas: [] },
  }));
  return (key) => choose({ topic: '', partitionMetadata, message: { key, value: null } });
}

async function markRead(world: World, admin: Admin): Promise<void> {
  const topic = `${world.prefix}orders`;
  const partitions = (await logEnds(admin, topic)).map(({ partition, high }) => ({ partition, offset: high }));
  await admin.setOffsets({ groupId: groupName(world.prefix, 'ingest'), topic, partitions });
}
