import { randomUUID } from 'node:crypto';
import { Command } from 'commander';
import { OmsError } from '../domain/errors.ts';
import { createKafka } from '../kafka/client.ts';
import { createCodec } from '../kafka/codec.ts';
import { createRegistry } from '../kafka/registry.ts';
import { groupName, topicNames, topicSchemas, TOPICS } from '../kafka/topics.ts';
import type { TopicKind, TopicNames } from '../kafka/topics.ts';
import type { Config } from '../platform/config/settings.ts';
import { commandKafka, kafkaError } from './clients.ts';
import { countOption } from './options.ts';
import { examples, print } from './output.ts';
import { cliConfig } from './settings.ts';
import { recordLine, showRecords } from './topics/describe-record.ts';
import { readTopics } from './topics/read-topics.ts';

interface TailFlags {
  json?: boolean;
  fromBeginning?: boolean;
  follow: boolean;
  max?: number;
  order?: string;
}

const DEFAULT_KINDS: readonly TopicKind[] = [
  'orders',
  'shipments',
  'invoices',
  'deliveries',
  'order-status',
  'orders.dlq',
];

/** `oms topics tail [TOPIC…]` */
export function createCommand(): Command {
  return new Command()
    .argument('[topics...]', `topics, without prefix (default: ${DEFAULT_KINDS.join(' ')})`)
    .option('--from-beginning', 'also what is there already')
    .option('--no-follow', 'end at what is there now')
    .option('--max <records>', 'end after so many records', countOption(1))
    .option('--order <id>', 'only records with this key')
    .addHelpText(
      'after',
      examples(
        'oms topics tail',
        'oms topics tail shipments deliveries --from-beginning --no-follow',
        'oms topics tail invoices --order 536365 --from-beginning --json | head -1',
      ),
    )
    .action(async (kinds: string[], flags: TailFlags) => {
      const config = await cliConfig();
      await tail(config, topicsOf(kinds, topicNames(config.OMS_PREFIX)), flags);
    });
}

/** @throws OmsError OMS_CLI_USAGE for a topic that is none of ours */
function topicsOf(kinds: readonly string[], names: TopicNames): string[] {
  const wanted = kinds.length > 0 ? kinds : DEFAULT_KINDS;
  return wanted.map((kind) => {
    if (kind in names) return names[kind as TopicKind];
    const known = TOPICS.map((topic) => topic.kind).join(', ');
    throw new OmsError('OMS_CLI_USAGE', `there is no topic ${kind}; there are ${known}`);
  });
}

async function tail(config: Config, topics: readonly string[], flags: TailFlags): Promise<void> {
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
