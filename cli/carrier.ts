import { randomUUID } from 'node:crypto';
import { Argument, Command } from 'commander';
import { CARRIER_STATUSES } from '../domain/carrier-status.ts';
import type { CarrierStatus } from '../domain/carrier-status.ts';
import { CAUSE_FORMS } from '../domain/causes.ts';
import { OmsError } from '../domain/errors.ts';
import { orderIdOf } from '../domain/ids.ts';
import { cliConfig } from '../local/settings.ts';
import { commandResources } from '../resources/profiles.ts';
import type { CarrierUpdate } from '../schemas/index.ts';
import { examples, printResult } from './output.ts';

interface UpdateFlags {
  json?: boolean;
  carrier?: string;
  tracking?: string;
  detail?: string;
  at?: string;
  updateId?: string;
}

/** `oms carrier update SHIPMENT STATUS` */
export function createCommand(): Command {
  return new Command()
    .argument('<shipment>', 'shipment id, <order id>:<n>')
    .addArgument(new Argument('<status>', 'what happened to it').choices(CARRIER_STATUSES))
    .option('--carrier <name>', 'who reports it')
    .option('--tracking <number>', 'the tracking number')
    .option('--detail <text>', 'for people: where, why')
    .option('--at <time>', 'when it happened, ISO 8601 (default: now)')
    .option('--update-id <id>', 'to send the same update again (default: a new one)')
    .addHelpText('after', '\nPuts a CarrierUpdate on the topic, as the adapter of a carrier would.')
    .addHelpText(
      'after',
      examples(
        'oms carrier update 536365:1 dispatched --carrier "Royal Post" --tracking RP123456789GB',
        'oms carrier update 536365:1 deliveryFailed --detail "nobody at home"',
        'oms carrier update 536365:1 delivered --at 2026-01-31T12:00:00Z --json',
      ),
    )
    .action(update);
}

async function update(shipmentId: string, status: CarrierStatus, flags: UpdateFlags): Promise<void> {
  const news: CarrierUpdate = {
    updateId: flags.updateId ?? CAUSE_FORMS.carrierCommand(shipmentId, status, randomUUID()),
    shipmentId,
    status,
    occurredAt: timeOf(flags.at),
    carrier: flags.carrier ?? null,
    trackingNumber: flags.tracking ?? null,
    detail: flags.detail ?? null,
  };
  await assertValid(news);
  const config = await cliConfig();
  const { openTopicProducer } = await import('../operations/produce/topic-producer.ts');
  await using resources = commandResources(config);
  const producer = await openTopicProducer<CarrierUpdate>(resources, 'carrier-updates', (one) => one.shipmentId);
  try {
    const { produced, refused } = await producer.produce([news]);
    if (refused[0]) throw refused[0].error;
    printResult(flags, { update: news, produced: produced[0]?.position }, () =>
      [
        `Told of ${shipmentId}: ${status} (update ${news.updateId}).`,
        `oms orders show ${orderIdOf(shipmentId)}  tells what came of it.`,
      ].join('\n'),
    );
  } finally {
    await producer.close();
  }
}

function timeOf(text: string | undefined): number {
  if (text === undefined) return Date.now();
  const time = Date.parse(text);
  if (!Number.isNaN(time)) return time;
  throw new OmsError('OMS_CLI_USAGE', `--at is ${text}: must be a time such as 2026-01-31T12:00:00Z`);
}

/** Said here, the same fault need not be looked for among the dead letters. @throws OmsError OMS_CLI_USAGE */
async function assertValid(news: CarrierUpdate): Promise<void> {
  const { toNews } = await import('../orders/intake/carrier-news.ts');
  try {
    toNews(news);
  } catch (error) {
    throw new OmsError('OMS_CLI_USAGE', error instanceof Error ? error.message : String(error), { cause: error });
  }
}
