import { Command } from 'commander';
import { cliConfig } from '../local/settings.ts';
import { withDatabase } from '../resources/clients.ts';
import { limitText } from './limits/limit-text.ts';
import { countOption } from './options.ts';
import { examples, money, printResult, table } from './output.ts';

/** `oms limits show [CUSTOMER]` */
export function createCommand(): Command {
  return new Command()
    .argument('[customer]', 'customer id; those who spent most when none is given')
    .option('--limit <rows>', 'most customers', countOption(1), 100)
    .addHelpText('after', examples('oms limits show', 'oms limits show customer-42 --json'))
    .action(async (customer: string | undefined, flags: { json?: boolean; limit: number }) => {
      const { readDefaultLimits, readSpending } = await import('../orders/money/spend.ts');
      const { defaults, customers } = await withDatabase(await cliConfig(), async (db) => ({
        defaults: await readDefaultLimits(db),
        customers: await readSpending(db, customer ?? null, flags.limit),
      }));
      printResult(flags, { defaults, customers }, () =>
        table(
          ['CUSTOMER', 'CURRENCY', 'SPENT', 'LIMIT'],
          [
            ...defaults.map(({ currency, limit }) => ['(default)', currency, '', limitText(limit)]),
            ...customers.map(({ customerId, currency, spent, limit }) => {
              const own = limit ?? defaults.find((one) => one.currency === currency)?.limit ?? null;
              return [customerId, currency, money(spent), limitText(own)];
            }),
          ],
        ),
      );
    });
}
