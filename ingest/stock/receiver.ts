import type { Database } from '../../database/database.ts';
import type { DeadLetter } from '../../database/dead-letters.ts';
import { storedRecord } from '../../database/ledger/records.ts';
import type { Codec } from '../../kafka/codec/codec.ts';
import type { Chunk } from '../../kafka/consumer/consumer.ts';
import { decodeLevels } from '../../orders/intake/levels.ts';
import type { IncomingLevel, RefusedLevel } from '../../orders/intake/levels.ts';
import { applySentPrices, priceListVersion } from '../../orders/money/price-list.ts';
import { applyLevels, countShortages } from '../../orders/stock/stock-levels.ts';
import type { HeldStock } from '../../orders/stock/stock-levels.ts';
import { deadLetter } from '../../outbox/dead-letters.ts';
import type { DeadLetterOffice } from '../../outbox/dead-letters.ts';
import type { Logger } from '../../platform/logger.ts';
import { COUNTERS, GAUGES } from '../../platform/metric-names.ts';
import { Counter, Gauge } from '../../platform/metrics.ts';
import type { Registry } from '../../platform/metrics.ts';
import { createDeadLetterCount } from '../metrics.ts';

export interface StockReceiverOptions {
  db: Database;
  codec: Codec;
  office: DeadLetterOffice;
  metrics: StockMetrics;
  logger: Logger;
}

/**
 * The way of a chunk of the topic `stock-levels`: decode, take in levels, then prices, finish; refuse the rest. Levels and
 * prices each hold their own against repeats, so whatever it dies in between, the same records given again lead to the
 * same end.
 * @throws OmsError, retryable, when the environment is away: what could be done is finished, the rest is to be given again
 */
export function createLevelHandler(options: StockReceiverOptions): (chunk: Chunk) => Promise<void> {
  return async (chunk) => {
    const decoded = await decodeLevels(options.codec, chunk.topic, chunk.records);
    await takeIn(
      options,
      chunk,
      decoded.filter((one) => one.kind === 'level'),
    );
    await refuse(
      options,
      chunk,
      decoded.filter((one) => one.kind === 'refused'),
    );
  };
}

async function takeIn(options: StockReceiverOptions, chunk: Chunk, levels: readonly IncomingLevel[]): Promise<void> {
  const { db, metrics, logger } = options;
  const { applied, short } = await applyLevels(
    db,
    levels.map(({ level }) => level),
  );
  for (const one of short) logger.warn(aboutShortage(one), 'fewer pieces are there than orders were promised');
  const prices = levels.flatMap(({ price }) => price ?? []);
  metrics.pricesChanged(await applySentPrices(db, prices));
  for (const { level, record } of levels) {
    chunk.finished(record.offset);
    metrics.level(applied.has(level) ? 'applied' : 'stale');
  }
}

function aboutShortage({ sku, warehouse, onHand, reserved, shortage, levelVersion }: HeldStock) {
  return { sku, warehouse, onHand, reserved, shortage, levelVersion };
}

async function refuse(options: StockReceiverOptions, chunk: Chunk, refused: readonly RefusedLevel[]): Promise<void> {
  const { office, metrics } = options;
  const letters = refused.map(({ error, record }) =>
    deadLetter({ error, orderId: null, source: null, record: storedRecord(record) }),
  );
  metrics.deadLetters(await office.send(letters));
  for (const { record } of refused) {
    chunk.finished(record.offset);
    metrics.level('refused');
  }
}

/** What the stock receiver counts as it goes. */
interface StockMetrics {
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
