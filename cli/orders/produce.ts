import { Command } from 'commander';
import { OmsError } from '../../domain/errors.ts';
import { cliConfig } from '../../local/settings.ts';
import type { LineFault } from '../../operations/produce/read-events.ts';
import { commandResources } from '../../resources/profiles.ts';
import { examples, printResult, table } from '../output.ts';

interface ProduceFlags {
  json?: boolean;
  dryRun?: boolean;
}

const EXAMPLE =
  `echo '{"eventId":"e-1","orderId":"A-1","occurredAt":"2026-01-31T12:00:00Z","source":"shop","payload":{"OrderPlaced":` +
  `{"customerId":"c-1","currency":"GBP","items":[{"sku":"85123A","quantity":2,"unitPrice":255}]}}}' | oms orders produce -`;

/** `oms orders produce FILE` */
export function createCommand(): Command {
  return new Command()
    .argument('<file>', 'order events as JSON lines; - is stdin')
    .option('--dry-run', 'check the events, produce nothing')
    .addHelpText('after', '\nAll lines are checked first; if one is not acceptable, none is produced.')
    .addHelpText('after', examples('oms orders produce events.jsonl', EXAMPLE))
    .action(produce);
}

async function produce(file: string, flags: ProduceFlags): Promise<void> {
  const { readEvents } = await import('../../operations/produce/read-events.ts');
  const { events, faults } = await readEvents(file);
  if (faults.length > 0) throw new OmsError('OMS_CLI_INPUT_INVALID', faults.map((one) => lineOf(file, one)).join('\n'));
  if (flags.dryRun) {
    return printResult(flags, { valid: events.length, produced: [] }, () => `${events.length} events are acceptable`);
  }
  const { openOrderProducer } = await import('../../operations/produce/topic-producer.ts');
  await using resources = commandResources(await cliConfig());
  const producer = await openOrderProducer(resources);
  try {
    const { produced, refused } = await producer.produce(events);
    const notProduced = refused.map(({ eventId, orderId, error }) => ({ eventId, orderId, reason: error.message }));
    printResult(flags, { produced, notProduced }, () =>
      table(
        ['ORDER', 'EVENT', 'TOPIC', 'PARTITION', 'OFFSET'],
        produced.map((one) => [one.orderId, one.eventId, one.topic, one.partition, one.offset]),
      ),
    );
    if (refused[0]) throw refused[0].error;
  } finally {
    await producer.close();
  }
}

const lineOf = (file: string, { line, field, value, rule }: LineFault): string =>
  `${file}:${line}: ${field} is ${value}: ${rule}`;
