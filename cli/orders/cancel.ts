import { randomUUID } from 'node:crypto';
import { Command } from 'commander';
import { CAUSE_FORMS } from '../../domain/causes.ts';
import { OmsError } from '../../domain/errors.ts';
import { assertOrderId } from '../../domain/ids.ts';
import { cliConfig } from '../../local/settings.ts';
import type { Config } from '../../platform/config/settings.ts';
import { withDatabase } from '../../resources/clients.ts';
import { commandResources } from '../../resources/profiles.ts';
import type { OrderEvent } from '../../schemas/index.ts';
import { examples, printResult } from '../output.ts';

interface CancelFlags {
  json?: boolean;
  reason?: string;
  fulfillment?: string;
  source?: string;
  eventId?: string;
}

/** `oms orders cancel ID` */
export function createCommand(): Command {
  return new Command()
    .argument('<id>', 'order id')
    .option('--reason <text>', 'why, for people')
    .option('--fulfillment <id>', 'only this fulfillment, <order id>:<n>')
    .option('--source <name>', 'source of the event (default: that of the order)')
    .option('--event-id <id>', 'to send the same event again (default: a new one)')
    .addHelpText('after', '\nPuts an OrderCancelled event on the topic, as the upstream system would.')
    .addHelpText(
      'after',
      examples('oms orders cancel 536365', 'oms orders cancel 536365 --reason "ordered twice" --json'),
    )
    .action(cancel);
}

async function cancel(id: string, flags: CancelFlags): Promise<void> {
  const orderId = assertOrderId(id, 'order id', 'OMS_CLI_USAGE');
  const config = await cliConfig();
  const event: OrderEvent = {
    eventId: flags.eventId ?? CAUSE_FORMS.cancelCommand(randomUUID()),
    orderId,
    occurredAt: Date.now(),
    source: flags.source ?? (await sourceOf(config, orderId)),
    sequence: null,
    payload: { 'oms.OrderCancelled': { reason: flags.reason ?? null, fulfillmentId: flags.fulfillment ?? null } },
  };
  const { openOrderProducer } = await import('../../operations/produce/topic-producer.ts');
  await using resources = commandResources(config);
  const producer = await openOrderProducer(resources);
  try {
    const { produced, refused } = await producer.produce([event]);
    if (refused[0]) throw refused[0].error;
    printResult(flags, { event, produced: produced[0] }, () =>
      [
        `Asked for the cancellation of ${orderId} (event ${event.eventId}).`,
        `oms orders show ${orderId}  tells what came of it.`,
      ].join('\n'),
    );
  } finally {
    await producer.close();
  }
}

/** @throws OmsError OMS_ORDER_UNKNOWN when the order is not known, so that its source is not either */
async function sourceOf(config: Config, orderId: string): Promise<string> {
  const row = await withDatabase(config, (db) =>
    db.selectFrom('ledger').select('source').where('order_id', '=', orderId).executeTakeFirst(),
  );
  if (row?.source) return row.source;
  throw new OmsError('OMS_ORDER_UNKNOWN', `no order ${orderId} is known; --source sends the event nevertheless`);
}
