import { Command } from 'commander';
import { cliConfig } from '../../local/settings.ts';
import { rowsOf } from '../../operations/import/retail-order.ts';
import type { RetailRow } from '../../operations/import/retail-order.ts';
import { seedPlan } from '../../operations/import/seed-plan.ts';
import { withDatabase } from '../../resources/clients.ts';
import { examples, printResult } from '../output.ts';

/** `oms stock seed FILE` */
export function createCommand(): Command {
  return new Command()
    .argument('<file>', 'CSV of the Online Retail format, also .gz')
    .addHelpText('after', '\nA level or price that is there already stays as it is.')
    .addHelpText('after', examples('oms stock seed examples/online-retail/online-retail-2010-12.csv.gz'))
    .action(async (file: string, flags: { json?: boolean }) => {
      const { addPrices } = await import('../../orders/money/price-list.ts');
      const { addStock } = await import('../../orders/stock/stock-levels.ts');
      const plan = seedPlan(await allRows(file));
      const added = await withDatabase(await cliConfig(), async (db) => ({
        levels: await addStock(db, plan.levels),
        prices: await addPrices(db, plan.prices),
      }));
      const result = { ...added, knownLevels: plan.levels.length - added.levels, unstocked: plan.unstocked };
      printResult(flags, result, () =>
        [
          `${added.levels} stock levels and ${added.prices} prices added, ${result.knownLevels} levels were there already.`,
          `Not in stock anywhere: ${plan.unstocked.join(', ') || 'none'}.`,
        ].join('\n'),
      );
    });
}

async function allRows(file: string): Promise<RetailRow[]> {
  const rows: RetailRow[] = [];
  for await (const row of rowsOf(file)) rows.push(row);
  return rows;
}
