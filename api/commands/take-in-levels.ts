import type { Database } from '../../database/database.ts';
import { OmsError, faultError } from '../../domain/errors.ts';
import { parseLevels } from '../../orders/intake/levels-csv.ts';
import type { ParsedLevels } from '../../orders/intake/levels-csv.ts';
import { sentLevel, sentPrice } from '../../orders/intake/levels.ts';
import { takeInPrices } from '../../orders/money/price-list.ts';
import { takeInLevels } from '../../orders/stock/stock-levels.ts';
import type { HeldStock } from '../../orders/stock/stock-levels.ts';
import type { StockLevel } from '../../schemas/index.ts';

/** What became of a CSV of levels. */
export interface TakenInLevels {
  levels: number;
  /** Those that were the newest of their SKU and warehouse. */
  applied: number;
  /** Prices that have changed. */
  prices: number;
  /** Where less is there now than orders were promised. */
  short: HeldStock[];
}

/**
 * Takes a CSV of stock levels and prices in, in the caller's transaction: all of it, or nothing.
 * @throws OmsError OMS_STOCK_INVALID naming the first line that is not acceptable, with field, value and rule
 */
export async function takeInCsv(tx: Database, csv: string, now: number): Promise<TakenInLevels> {
  const levels = acceptable(parseLevels(csv, now));
  const { applied, short } = await takeInLevels(tx, levels.map(sentLevel));
  const prices = await takeInPrices(
    tx,
    levels.flatMap((level) => sentPrice(level) ?? []),
  );
  return { levels: levels.length, applied: applied.size, prices, short };
}

function acceptable({ levels, faults }: ParsedLevels): StockLevel[] {
  const [first, ...others] = faults;
  if (first) throw atLine(first, others.length);
  if (levels.length > 0) return levels;
  const rule = 'must have a header line and one level or more';
  throw faultError('OMS_STOCK_INVALID', { field: '(body)', value: '', rule });
}

function atLine({ line, error }: ParsedLevels['faults'][number], others: number): OmsError {
  const more = others === 0 ? '' : `; ${others} other lines are not acceptable either`;
  const { fault } = error;
  const options = fault ? { fault: { ...fault, line } } : {};
  return new OmsError('OMS_STOCK_INVALID', `line ${line}: ${error.message}${more}`, options);
}
