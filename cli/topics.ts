import { Command } from 'commander';
import { OmsError } from '../domain/errors.ts';
import { DLQ_HEADERS } from '../kafka/headers.ts';
import { TOPICS, topicNames } from '../kafka/topics.ts';
import type { TopicKind, TopicNames } from '../kafka/topics.ts';
import { cliConfig } from '../local/settings.ts';
import type { ShownRecord } from '../operations/topics/tail.ts';
import type { Config } from '../platform/config/settings.ts';
import { commandResources } from '../resources/profiles.ts';
import { countOption } from './options.ts';
import { examples, print } from './output.ts';

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

/** How much is shown. */
interface TailFlags {
  json?: boolean;
  fromBeginning?: boolean;
  follow: boolean;
  max?: number;
  order?: string;
}

/** Prints the topics' records, decoded, until there are enough, the end is reached, or a signal comes. */
export async function tail(config: Config, topics: readonly string[], flags: TailFlags): Promise<void> {
  const { tailTopics } = await import('../operations/topics/tail.ts');
  await using resources = commandResources(config);
  const [codec, kafka] = [await resources.codec(), await resources.kafka()];
  const stopped = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopped.abort());
  const { fromBeginning = false, follow, max, order } = flags;
  const request = { topics, fromBeginning, follow, max, order, signal: stopped.signal };
  try {
    const admin = await resources.connectedAdmin();
    await tailTopics({ kafka, admin, codec, prefix: config.OMS_PREFIX }, request, (record) =>
      print(flags.json ? JSON.stringify(record) : recordLine(record)),
    );
  } catch (error) {
    const { kafkaError } = await import('../resources/errors.ts');
    throw kafkaError(config, error);
  }
}

/** One line for people: where, when, whose, what. */
function recordLine(record: ShownRecord): string {
  const { topic, partition, offset, key, time, headers, value, undecoded } = record;
  const reason = headers[DLQ_HEADERS.errorCode];
  const content = undecoded ? `(${undecoded.code}: ${undecoded.reason})` : JSON.stringify(value);
  return `${time} ${topic} ${partition}:${offset} ${key ?? '(no key)'} ${reason ? `${reason} ` : ''}${content}`;
}
