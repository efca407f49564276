import { Command } from 'commander';
import type { Operator } from '../../database/decisions.ts';
import { cliConfig } from '../../local/settings.ts';
import { withDatabase } from '../../resources/clients.ts';
import { countOption, decidedBy, operatorOf } from '../options.ts';
import { examples, printResult, table } from '../output.ts';

/** `oms orders held ls` */
export const ls = { createCommand: createLs };

function createLs(): Command {
  return new Command()
    .option('--limit <rows>', 'most rows, longest held first', countOption(1), 50)
    .addHelpText('after', examples('oms orders held ls', 'oms orders held ls --json'))
    .action(async (flags: { json?: boolean; limit: number }) => {
      const { listHeldEvents } = await import('../../database/outbox/outbox-queue.ts');
      const held = await withDatabase(await cliConfig(), (db) => listHeldEvents(db, flags.limit));
      printResult(flags, held, () =>
        table(
          ['ORDER', 'EVENT', 'TOPIC', 'BYTES', 'WAITING', 'SINCE', 'WHY'],
          held.map(({ orderId, eventId, topic, bytes, waiting, createdAt, reason }) => [
            ...[orderId, eventId, topic, bytes, waiting, createdAt.toISOString(), reason],
          ]),
        ),
      );
    });
}

/** `oms orders held release ID` */
export const release = { createCommand: createRelease };

function createRelease(): Command {
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
      const { releaseHeldEvent } = await import('../../database/outbox/outbox-queue.ts');
      const held = await withDatabase(await cliConfig(), (db) => releaseHeldEvent(db, orderId, operatorOf(flags)));
      printResult(flags, held, () => `${held.eventId} is given up; ${held.waiting} later events of ${orderId} go on.`);
    });
}
