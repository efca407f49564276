import { Command } from 'commander';
import { OmsError } from '../domain/errors.ts';
import { NO_LIMIT, minorUnits } from '../domain/money.ts';
import { cliConfig } from '../local/settings.ts';
import { withDatabase } from '../resources/clients.ts';
import { countOption } from './options.ts';
import { examples, money, printResult, table } from './output.ts';

/** `oms limits set LIMIT` */
export const set = { createCommand: createSet };

function createSet(): Command {
  return new Command()
    .argument('<limit>', 'an amount such as 500.00; none = no limit; default = no limit of its own')
    .option('--currency <code>', 'currency of the limit', currencyOf, 'GBP')
    .option('--customer <id>', 'only for this customer, instead of the default for all')
    .addHelpText(
      'after',
      examples(
        'oms limits set 500.00',
        'oms limits set 2000 --customer customer-42',
        'oms limits set none --currency EUR',
      ),
    )
    .action(async (text: string, flags: { json?: boolean; currency: string; customer?: string }) => {
      const { setCustomerLimit, setDefaultLimit } = await import('../orders/money/spend.ts');
      const limit = readLimit(text);
      const { currency, customer } = flags;
      await withDatabase(await cliConfig(), (db) =>
        customer === undefined
          ? setDefaultLimit(db, currency, limit)
          : setCustomerLimit(db, { customerId: customer, currency, limit }),
      );
      const whose = customer ?? 'customers without a limit of their own';
      const says = limit === null && customer !== undefined ? 'the default' : limitText(limit);
      printResult(flags, { customerId: customer ?? null, currency, limit }, () => `${whose}: ${says} in ${currency}`);
    });
}

function currencyOf(text: string): string {
  if (/^[A-Z]{3}$/.test(text)) return text;
  throw new OmsError('OMS_CLI_USAGE', `--currency is ${text}: must be an ISO 4217 code such as GBP`);
}

/** What was asked for: an amount in minor units; null = the default holds, or there is none. */
type AskedLimit = number | null;

/**
 * Reads `500.00`, `none` (nothing is too much) or `default` (no limit of its own).
 * @throws OmsError OMS_CLI_USAGE
 */
function readLimit(text: string): AskedLimit {
  if (text === 'none') return NO_LIMIT;
  if (text === 'default') return null;
  const limit = minorUnits(text);
  if (limit !== undefined && limit >= 0) return limit;
  throw new OmsError('OMS_CLI_USAGE', `limit is ${text}: must be an amount such as 500.00, or none, or default`);
}

/** A limit for people; null = there is none. */
function limitText(limit: AskedLimit): string {
  return limit === null || limit === NO_LIMIT ? 'none' : money(limit);
}

/** `oms limits show [CUSTOMER]` */
export const show = { createCommand: createShow };

function createShow(): Command {
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
