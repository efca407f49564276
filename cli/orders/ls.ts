import { Command } from 'commander';
import { OmsError } from '../../domain/errors.ts';
import { ORDER_STATUSES } from '../../domain/status.ts';
import type { OrderStatus } from '../../domain/status.ts';
import { cliConfig } from '../../local/settings.ts';
import { withDatabase } from '../../resources/clients.ts';
import { countOption } from '../options.ts';
import { examples, printResult, table } from '../output.ts';

interface ListFlags {
  json?: boolean;
  status?: string;
  limit: number;
}

/** `oms orders ls` */
export function createCommand(): Command {
  return new Command()
    .option('--status <status>', `only this status: ${ORDER_STATUSES.join(', ')}`)
    .option('--limit <rows>', 'most rows, newest first', countOption(1), 20)
    .addHelpText(
      'after',
      examples('oms orders ls', 'oms orders ls --status customerActionRequired', 'oms orders ls --json'),
    )
    .action(async (flags: ListFlags) => {
      const status = flags.status === undefined ? undefined : statusOf(flags.status);
      const orders = await withDatabase(await cliConfig(), (db) => {
        const query = db
          .selectFrom('orders')
          .select([
            'order_id as orderId',
            'status',
            'source',
            'customer_id as customerId',
            'received_at as receivedAt',
          ]);
        return (status ? query.where('status', '=', status) : query)
          .orderBy('received_at', 'desc')
          .orderBy('order_id')
          .limit(flags.limit)
          .execute();
      });
      printResult(flags, orders, () =>
        table(
          ['ORDER', 'STATUS', 'SOURCE', 'CUSTOMER', 'RECEIVED'],
          orders.map((one) => [one.orderId, one.status, one.source, one.customerId, one.receivedAt.toISOString()]),
        ),
      );
    });
}

function statusOf(text: string): OrderStatus {
  const status = ORDER_STATUSES.find((one) => one === text);
  if (status) return status;
  throw new OmsError('OMS_CLI_USAGE', `${text} is no status; there are ${ORDER_STATUSES.join(', ')}`);
}
