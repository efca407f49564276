import { randomUUID } from 'node:crypto';
import { createKafka } from '../../kafka/client/client.ts';
import { createCodec } from '../../kafka/codec/codec.ts';
import { createRegistry } from '../../kafka/codec/registry.ts';
import { groupName, topicNames, topicSchemas } from '../../kafka/topics.ts';
import { readTopics, recordLine, showRecords } from '../../operations/topics/describe-record.ts';
import type { Config } from '../../platform/config/settings.ts';
import { commandKafka, kafkaError } from '../../resources/clients.ts';
import { print } from '../output.ts';

/** How much is shown. */
export interface TailFlags {
  json?: boolean;
  fromBeginning?: boolean;
  follow: boolean;
  max?: number;
  order?: string;
}

/** Prints the topics' records, decoded, until there are enough, the end is reached, or a signal comes. */
export async function tail(config: Config, topics: readonly string[], flags: TailFlags): Promise<void> {
  const names = topicNames(config.OMS_PREFIX);
  const registry = createRegistry({ url: config.SCHEMA_REGISTRY_URL });
  const codec = createCodec({ registry, schemas: topicSchemas(config.OMS_PREFIX) });
  const stopped = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopped.abort());
  let left = flags.max ?? Infinity;
  await withKafka(config, async (kafka, admin) => {
    await readTopics({
      kafka,
      admin,
      topics,
      groupId: groupName(config.OMS_PREFIX, `tail-${randomUUID()}`),
      fromBeginning: flags.fromBeginning ?? false,
      follow: flags.follow,
      signal: stopped.signal,
      onRecords: async (records) => {
        const wanted = flags.order ? records.filter(({ key }) => key?.toString() === flags.order) : records;
        const shown = await showRecords(codec, names, wanted.slice(0, left));
        for (const record of shown) print(flags.json ? JSON.stringify(record) : recordLine(record));
        left -= shown.length;
        return left > 0;
      },
    });
  });
}

type KafkaClient = ReturnType<typeof createKafka>;

async function withKafka(
  config: Config,
  work: (kafka: KafkaClient, admin: ReturnType<KafkaClient['admin']>) => Promise<void>,
): Promise<void> {
  const kafka = createKafka(commandKafka(config));
  const admin = kafka.admin();
  try {
    await admin.connect();
    await work(kafka, admin);
  } catch (error) {
    throw kafkaError(config, error);
  } finally {
    await admin.disconnect();
  }
}
