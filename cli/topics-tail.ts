import { Command } from 'commander';
import { OmsError } from '../domain/errors.ts';
import { TOPICS, topicNames } from '../kafka/topics.ts';
import type { TopicKind, TopicNames } from '../kafka/topics.ts';
import { cliConfig } from '../local/settings.ts';
import { countOption } from './options.ts';
import { examples } from './output.ts';
import type { TailFlags } from './topics/tail.ts';

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
      const { tail } = await import('./topics/tail.ts');
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
