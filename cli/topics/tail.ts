import { createKafka } from '../../kafka/client/client.ts';
import { createCodec } from '../../kafka/codec/codec.ts';
import { createRegistry } from '../../kafka/codec/registry.ts';
import { topicSchemas } from '../../kafka/topics.ts';
import { recordLine } from '../../operations/topics/describe-record.ts';
import { tailTopics } from '../../operations/topics/tail.ts';
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
  const prefix = config.OMS_PREFIX;
  const registry = createRegistry({ url: config.SCHEMA_REGISTRY_URL });
  const codec = createCodec({ registry, schemas: topicSchemas(prefix) });
  const stopped = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopped.abort());
  const { fromBeginning = false, follow, max, order } = flags;
  const request = { topics, fromBeginning, follow, max, order, signal: stopped.signal };
  await withKafka(config, (kafka, admin) =>
    tailTopics({ kafka, admin, codec, prefix }, request, (record) =>
      print(flags.json ? JSON.stringify(record) : recordLine(record)),
    ),
  );
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
