import { Command } from 'commander';
import type { Database } from '../../database/database.ts';
import { OmsError } from '../../domain/errors.ts';
import { minorUnits } from '../../domain/money.ts';
import { cliConfig } from '../../local/settings.ts';
import type { HeldStock } from '../../orders/stock/stock-levels.ts';
import { withDatabase } from '../../resources/clients.ts';
import type { StockLevel } from '../../schemas/index.ts';
import { countOption } from '../options.ts';
import { examples, printResult } from '../output.ts';

interface SetFlags {
  json?: boolean;
  price?: string;
  currency: string;
  version?: number;
}

const VERSIONS = `
Without --version this is a count by hand: it holds until upstream sends its next level. With --version it is taken in
like a level on the topic: a version that is known already, or older, changes nothing.`;

/** `oms stock set SKU WAREHOUSE PIECES` */
export function createCommand(): Command {
  return new Command()
    .argument('<sku>')
    .argument('<warehouse>')
    .argument('<pieces>', 'pieces that are there, those reserved by orders included', countOption(0))
    .option('--price <amount>', 'also the price of one piece, e.g. 2.55')
    .option('--currency <code>', 'currency of the price', 'GBP')
    .option('--version <n>', "the level's version", countOption(0))
    .addHelpText('after', VERSIONS)
    .addHelpText(
      'after',
      examples(
        'oms stock set 85123A east 500',
        'oms stock set 85123A east 500 --price 2.55',
        'oms stock set 85123A east 480 --version 17',
      ),
    )
    .action(set);
}

async function set(sku: string, warehouse: string, onHand: number, flags: SetFlags): Promise<void> {
  const { validateLevel } = await import('../../orders/intake/levels.ts');
  const unitPrice = flags.price === undefined ? null : priceOf(flags.price);
  const currency = unitPrice === null ? null : flags.currency;
  const level = { sku, warehouse, onHand, version: flags.version ?? 0, occurredAt: Date.now(), unitPrice, currency };
  validateLevel(level);
  const isVersioned = flags.version !== undefined;
  const result = await withDatabase(await cliConfig(), (db) => (isVersioned ? takeIn(db, level) : byHand(db, level)));
  printResult(flags, { ...result.held, unitPrice: unitPrice ?? undefined, applied: result.applied }, () =>
    result.applied
      ? heldText(result.held)
      : `nothing changed, version ${result.held.levelVersion} is known: ${heldText(result.held)}`,
  );
}

interface Outcome {
  held: HeldStock;
  applied: boolean;
}

async function byHand(db: Database, { sku, warehouse, onHand, unitPrice, currency }: StockLevel): Promise<Outcome> {
  const { setPrice } = await import('../../orders/money/price-list.ts');
  const { setStock } = await import('../../orders/stock/stock-levels.ts');
  const held = await setStock(db, { sku, warehouse, onHand });
  if (unitPrice !== null && currency !== null) await setPrice(db, { sku, currency, unitPrice });
  return { held, applied: true };
}

async function takeIn(db: Database, given: StockLevel): Promise<Outcome> {
  const { sentLevel, sentPrice } = await import('../../orders/intake/levels.ts');
  const { applySentPrices } = await import('../../orders/money/price-list.ts');
  const { applyLevels, readLevel } = await import('../../orders/stock/stock-levels.ts');
  const { applied } = await applyLevels(db, [sentLevel(given)]);
  const price = sentPrice(given);
  if (price) await applySentPrices(db, [price]);
  return { held: await readLevel(db, given.sku, given.warehouse), applied: applied.size > 0 };
}

function heldText({ sku, warehouse, onHand, reserved, shortage }: HeldStock): string {
  const short = shortage > 0 ? `, ${shortage} short` : '';
  return `${sku} in ${warehouse}: ${onHand} on hand, ${reserved} reserved${short}`;
}

function priceOf(text: string): number {
  const price = minorUnits(text);
  if (price !== undefined && price >= 0) return price;
  throw new OmsError(
    'OMS_CLI_USAGE',
    `--price is ${text}: must be a decimal number of whole minor units, such as 2.55`,
  );
}
