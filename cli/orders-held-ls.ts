import { Command } from 'commander';
import { cliConfig } from '../local/settings.ts';
import { withDatabase } from '../resources/clients.ts';
import { countOption } from './options.ts';
import { examples, printResult, table } from './output.ts';

/** `oms orders held ls` */
export function createCommand(): Command {
  return new Command()
    .option('--limit <rows>', 'most rows, longest held first', countOption(1), 50)
    .addHelpText('after', examples('oms orders held ls', 'oms orders held ls --json'))
    .action(async (flags: { json?: boolean; limit: number }) => {
      const { listHeldEvents } = await import('../database/outbox/outbox-queue.ts');
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
