import { Command } from 'commander';
import type { Operator } from '../database/decisions.ts';
import { cliConfig } from '../local/settings.ts';
import { withDatabase } from '../resources/clients.ts';
import { decidedBy, operatorOf } from './operator.ts';
import { examples, printResult } from './output.ts';

/** `oms orders held release ID` */
export function createCommand(): Command {
  return decidedBy(new Command())
    .argument('<id>', 'order id')
    .addHelpText(
      'after',
      '\nThe event is not sent: readers of its topic see a gap in the sequence of the order. It stays in the outbox. An\n' +
        'event that is too large is better let through by raising max.message.bytes of its topic: the publisher tries\n' +
        'again by itself, at least once a minute.',
    )
    .addHelpText('after', examples("oms orders held release 536365 --why 'told downstream by hand'"))
    .action(async (orderId: string, flags: Operator & { json?: boolean }) => {
      const { releaseHeldEvent } = await import('../database/outbox/outbox-queue.ts');
      const held = await withDatabase(await cliConfig(), (db) => releaseHeldEvent(db, orderId, operatorOf(flags)));
      printResult(flags, held, () => `${held.eventId} is given up; ${held.waiting} later events of ${orderId} go on.`);
    });
}
