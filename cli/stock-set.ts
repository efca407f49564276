import { Command } from 'commander';
import { OmsError } from '../domain/errors.ts';
import { withDatabase } from './clients.ts';
import { minorUnits } from './import/minor-units.ts';
import { countOption } from './options.ts';
import { examples, printResult } from './output.ts';
import { cliConfig } from './settings.ts';

interface SetFlags {
  json?: boolean;
  price?: string;
  currency: string;
}

/** `oms stock set SKU WAREHOUSE PIECES` */
export function createCommand(): Command {
  return new Command()
    .argument('<sku>')
    .argument('<warehouse>')
    .argument('<pieces>', 'pieces on the shelf, those reserved by orders included', countOption(0))
    .option('--price <amount>', 'also the price of one piece, e.g. 2.55')
    .option('--currency <code>', 'currency of the price', 'GBP')
    .addHelpText('after', examples('oms stock set 85123A east 500', 'oms stock set 85123A east 500 --price 2.55'))
    .action(async (sku: string, warehouse: string, onHand: number, flags: SetFlags) => {
      const { setPrice } = await import('../database/price-list.ts');
      const { setStock } = await import('../database/stock-levels.ts');
      const unitPrice = flags.price === undefined ? undefined : priceOf(flags.price);
      const level = await withDatabase(await cliConfig(), async (db) => {
        const held = await setStock(db, { sku, warehouse, onHand });
        if (unitPrice !== undefined) await setPrice(db, { sku, currency: flags.currency, unitPrice });
        return held;
      });
      const { reserved } = level;
      printResult(
        flags,
        { ...level, unitPrice },
        () => `${sku} in ${warehouse}: ${onHand} on hand, ${reserved} reserved`,
      );
    });
}

function priceOf(text: string): number {
  const price = minorUnits(text);
  if (price !== undefined && price >= 0) return price;
  throw new OmsError(
    'OMS_CLI_USAGE',
    `--price is ${text}: must be a decimal number of whole minor units, such as 2.55`,
  );
}
