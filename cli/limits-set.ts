import { Command } from 'commander';
import { OmsError } from '../domain/errors.ts';
import { cliConfig } from '../local/settings.ts';
import { withDatabase } from '../resources/clients.ts';
import { limitText, readLimit } from './limits/limit-text.ts';
import { examples, printResult } from './output.ts';

/** `oms limits set LIMIT` */
export function createCommand(): Command {
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
