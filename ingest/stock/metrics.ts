import type { Database } from '../../database/database.ts';
import type { DeadLetter } from '../../database/dead-letters.ts';
import { priceListVersion } from '../../orders/money/price-list.ts';
import { countShortages } from '../../orders/stock/stock-levels.ts';
import { COUNTERS, GAUGES } from '../../platform/metric-names.ts';
import { Counter, Gauge } from '../../platform/metrics.ts';
import type { Registry } from '../../platform/metrics.ts';
import { createDeadLetterCount } from '../metrics.ts';

/** What the stock receiver counts as it goes. */
export interface StockMetrics {
  /** One record is done. `stale`: its version was known, or older, or overtaken by one that came with it. */
  level(outcome: 'applied' | 'stale' | 'refused'): void;
  pricesChanged(count: number): void;
  deadLetters(letters: readonly DeadLetter[]): void;
}

export function createStockMetrics(registry: Registry, db: Database): StockMetrics {
  const registers = [registry];
  const levels = new Counter({
    ...COUNTERS.stockLevels,
    help: 'Records of the stock-levels topic that are done with: applied, stale, refused.',
    registers,
  });
  const prices = new Counter({
    ...COUNTERS.priceChanges,
    help: 'Prices changed by the stock-levels topic.',
    registers,
  });
  createStockGauges(registry, db);
  return {
    level: (outcome) => levels.inc({ outcome }),
    pricesChanged: (count) => prices.inc(count),
    deadLetters: createDeadLetterCount(registry),
  };
}

/** Measured when /metrics is asked for; a database that does not answer leaves the last values. */
function createStockGauges(registry: Registry, db: Database): void {
  const registers = [registry];
  new Gauge({
    ...GAUGES.stockShort,
    help: 'Pieces promised to orders that are not there, by the newest levels.',
    registers,
    async collect() {
      const short = await countShortages(db).catch(() => undefined);
      if (short) this.set(short.pieces);
    },
  });
  new Gauge({
    ...GAUGES.priceListVersion,
    help: 'Version of the price list in force.',
    registers,
    async collect() {
      const version = await priceListVersion(db).catch(() => undefined);
      if (version !== undefined) this.set(version);
    },
  });
}
