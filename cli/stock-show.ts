import { Command } from 'commander';
import type { PriceLevel } from '../database/price-list.ts';
import { withDatabase } from './clients.ts';
import { countOption } from './options.ts';
import { examples, money, printResult, table } from './output.ts';
import { cliConfig } from './settings.ts';

/** `oms stock show [SKU…]` */
export function createCommand(): Command {
  return new Command()
    .argument('[skus...]', 'SKUs; all when none are given')
    .option('--limit <rows>', 'most rows', countOption(1), 100)
    .addHelpText('after', examples('oms stock show 85123A', 'oms stock show --limit 20 --json'))
    .action(async (skus: string[], flags: { json?: boolean; limit: number }) => {
      const { readPrices } = await import('../database/price-list.ts');
      const { readStock } = await import('../database/stock-levels.ts');
      const { levels, prices } = await withDatabase(await cliConfig(), async (db) => {
        const held = await readStock(db, skus, flags.limit);
        return { levels: held, prices: await readPrices(db, [...new Set(held.map(({ sku }) => sku))]) };
      });
      const rows = levels.map((level) => ({
        ...level,
        free: level.onHand - level.reserved,
        prices: pricesOf(level.sku, prices),
      }));
      printResult(flags, rows, () =>
        table(
          ['SKU', 'WAREHOUSE', 'ON HAND', 'RESERVED', 'FREE', 'PRICE'],
          rows.map((row) => [
            row.sku,
            row.warehouse,
            row.onHand,
            row.reserved,
            row.free,
            row.prices.map(priceText).join(' '),
          ]),
        ),
      );
    });
}

const pricesOf = (sku: string, prices: readonly PriceLevel[]): PriceLevel[] => prices.filter((one) => one.sku === sku);
const priceText = ({ currency, unitPrice }: PriceLevel): string => `${money(unitPrice)} ${currency}`;
