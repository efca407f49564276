import { Command } from 'commander';
import { cliConfig } from '../../local/settings.ts';
import type { ListedPrice } from '../../orders/money/price-list.ts';
import { withDatabase } from '../../resources/clients.ts';
import { countOption } from '../options.ts';
import { examples, money, printResult, table } from '../output.ts';

const LEGEND = `
FREE is what new orders can still be promised. SHORT is what orders were promised and is not there, by the newest level.
VERSION is that of the newest level from upstream; behind a price stands the version of the price list that brought it.`;

/** `oms stock show [SKU…]` */
export function createCommand(): Command {
  return new Command()
    .argument('[skus...]', 'SKUs; all when none are given')
    .option('--limit <rows>', 'most rows', countOption(1), 100)
    .addHelpText('after', LEGEND)
    .addHelpText('after', examples('oms stock show 85123A', 'oms stock show --limit 20 --json'))
    .action(async (skus: string[], flags: { json?: boolean; limit: number }) => {
      const { readPrices } = await import('../../orders/money/price-list.ts');
      const { readStock } = await import('../../orders/stock/stock-levels.ts');
      const { levels, prices } = await withDatabase(await cliConfig(), async (db) => {
        const held = await readStock(db, skus, flags.limit);
        return { levels: held, prices: await readPrices(db, [...new Set(held.map(({ sku }) => sku))]) };
      });
      const rows = levels.map((level) => ({
        ...level,
        free: level.onHand + level.shortage - level.reserved,
        prices: pricesOf(level.sku, prices),
      }));
      printResult(flags, rows, () =>
        table(
          ['SKU', 'WAREHOUSE', 'ON HAND', 'RESERVED', 'FREE', 'SHORT', 'VERSION', 'PRICE'],
          rows.map((row) => [
            row.sku,
            row.warehouse,
            row.onHand,
            row.reserved,
            row.free,
            row.shortage || '-',
            row.levelVersion ?? '-',
            row.prices.map(priceText).join(' '),
          ]),
        ),
      );
    });
}

const pricesOf = (sku: string, prices: readonly ListedPrice[]): ListedPrice[] =>
  prices.filter((one) => one.sku === sku);
const priceText = ({ currency, unitPrice, listVersion }: ListedPrice): string =>
  `${money(unitPrice)} ${currency} (list ${listVersion})`;
